import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { reductionOf } from "./internal/reduction.ts";

/**
 * Maximum over one axis, or over all elements. The gradient goes to the first of equal maxima.
 *
 * @param axis −1 is the last; omitted, the maximum is over all elements
 * @returns    the shape of x without that axis; () for all
 * @throws ShapeError if x has no such axis, or it is empty
 * @example max(x, -1) // [[1, 5], [7, 2]] → [5, 7]
 */
export function max(x: Tensor, axis?: number): Tensor {
  const context = contextOf("max", x);
  const { backend } = context;
  const { size, shape } = reductionOf("max", x.shape, axis);
  if (size.axis === 0) throw new ShapeError(`max: the axis is empty: got ${formatShape(x.shape)}`);
  const y = context.output(shape, [x]);
  backend.maxAxis(y.buffer, x.buffer, size);
  context.recordOp("max", y, (dy) =>
    backend.maxAxisBackward(x.gradientTarget(), dy, x.buffer, y.buffer, size),
  );
  return y;
}
