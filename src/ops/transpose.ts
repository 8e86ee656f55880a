import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, stridesOf } from "../shape.ts";
import { checkTypes } from "../util/check-types.ts";

/**
 * Permutes axes: axis i of the result is axis `axes[i]` of x.
 *
 * @param axes each axis of x once; omitted, the last two are swapped, as in Kᵀ
 * @throws ShapeError if `axes` does not name each axis of x once
 * @example transpose(x, [0, 2, 1, 3]) // x (2, 3, 4, 5) → (2, 4, 3, 5)
 */
export function transpose(x: Tensor, axes: readonly number[] = lastTwoSwapped(x)): Tensor {
  const context = contextOf("transpose", x);
  checkTypes("transpose", { axes }, { axes: "array" });
  const count = x.shape.length;
  if (axes.length !== count || new Set(axes).size !== count || axes.some((axis) => !(axis in x.shape))) {
    throw new ShapeError(
      `transpose: axes must name each axis of ${formatShape(x.shape)} once, 0 to ${count - 1}: got ${formatShape(axes)}`,
    );
  }
  const { backend } = context;
  const shape = axes.map((axis) => x.shape[axis]);
  const strides = stridesOf(x.shape);
  /** Strides of x in the axis order of y. */
  const permuted = axes.map((axis) => strides[axis]);
  const contiguous = stridesOf(shape);
  const y = context.output(shape, [x]);
  backend.copy(
    { buffer: y.buffer, offset: 0, strides: contiguous },
    { buffer: x.buffer, offset: 0, strides: permuted },
    shape,
    false,
  );
  context.recordOp("transpose", y, (dy) => {
    const { buffer, accumulate } = x.gradientTarget();
    backend.copy(
      { buffer, offset: 0, strides: permuted },
      { buffer: dy, offset: 0, strides: contiguous },
      shape,
      accumulate,
    );
  });
  return y;
}

function lastTwoSwapped(x: Tensor): number[] {
  contextOf("transpose", x);
  const count = x.shape.length;
  const axes = Array.from({ length: count }, (_, axis) => axis);
  return [...axes.slice(0, -2), ...axes.slice(-2).reverse()];
}
