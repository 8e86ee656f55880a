import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { axisOf, formatShape, stridesOf } from "../shape.ts";
import { checkTypes } from "../util/check-types.ts";

/**
 * Joins tensors along one axis.
 *
 * @param tensors at least one; shapes equal except along that axis
 * @param axis    −1 is the last
 * @throws ShapeError if there are no tensors or the other axes differ
 * @example concatenate([a, b], -1) // a (2, 3), b (2, 5) → (2, 8)
 */
export function concatenate(tensors: readonly Tensor[], axis: number): Tensor {
  checkTypes("concatenate", { tensors }, { tensors: "array" });
  if (tensors.length === 0) throw new ShapeError("concatenate: needs at least one tensor: got none");
  const [first, ...rest] = tensors;
  const context = contextOf("concatenate", first, ...rest);
  const { backend } = context;
  const at = axisOf("concatenate", first.shape, axis);
  for (const { shape } of rest) {
    if (shape.length !== first.shape.length || shape.some((n, i) => i !== at && n !== first.shape[i])) {
      throw new ShapeError(
        `concatenate: only axis ${axis} may differ: got ${formatShape(first.shape)} and ${formatShape(shape)}`,
      );
    }
  }
  const total = tensors.reduce((length, { shape }) => length + shape[at], 0);
  const shape = first.shape.map((length, i) => (i === at ? total : length));
  const strides = stridesOf(shape);
  const y = context.output(shape, tensors);
  let start = 0;
  const parts = tensors.map((x) => {
    const part = { x, offset: start * strides[at], whole: stridesOf(x.shape) };
    start += x.shape[at];
    return part;
  });
  for (const { x, offset, whole } of parts) {
    backend.copy(
      { buffer: y.buffer, offset, strides },
      { buffer: x.buffer, offset: 0, strides: whole },
      x.shape,
      false,
    );
  }
  context.recordOp("concatenate", y, (dy) => {
    for (const { x, offset, whole } of parts) {
      if (!x.needsGradient) continue;
      const { buffer, accumulate } = x.gradientTarget();
      backend.copy(
        { buffer, offset: 0, strides: whole },
        { buffer: dy, offset, strides },
        x.shape,
        accumulate,
      );
    }
  });
  return y;
}
