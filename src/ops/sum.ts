import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { sizeOf } from "../shape.ts";
import { reductionOf } from "./internal/reduction.ts";

/**
 * Sum over one axis, or over all elements: y = Σ x.
 *
 * @param axis −1 is the last; omitted, the sum is over all elements
 * @returns    the shape of x without that axis; () for all
 * @throws ShapeError if x has no such axis
 * @example sum(x, 0) // [[1, 2], [3, 4]] → [4, 6]
 */
export function sum(x: Tensor, axis?: number): Tensor {
  return scaledSum("sum", x, axis, () => 1);
}

/**
 * Mean over one axis, or over all elements: y = Σ x / n. Parameters and errors as in `sum`.
 *
 * @example mean(x) // [[1, 2], [3, 6]] → 3
 */
export function mean(x: Tensor, axis?: number): Tensor {
  return scaledSum("mean", x, axis, (count) => 1 / count);
}

function scaledSum(
  op: string,
  x: Tensor,
  axis: number | undefined,
  factorOf: (count: number) => number,
): Tensor {
  const context = contextOf(op, x);
  const { backend } = context;
  const { size, shape } = reductionOf(op, x.shape, axis);
  const factor = factorOf(size.axis);
  const y = context.output(shape, [x]);
  backend.sumAxis(y.target, x.buffer, size, factor);
  context.recordOp(op, y, (dy) => {
    // Every element of the axis has gradient factor·dy, so dy is read with stride 0 along it.
    const block = [size.outer, size.axis, size.inner];
    context.withScratch(sizeOf(shape), (scaled) => {
      backend.scale({ buffer: scaled, accumulate: false }, dy, factor);
      const { buffer, accumulate } = x.gradientTarget();
      backend.copy(
        { buffer, offset: 0, strides: [size.axis * size.inner, size.inner, 1] },
        { buffer: scaled, offset: 0, strides: [size.inner, 0, 1] },
        block,
        accumulate,
      );
    });
  });
  return y;
}
