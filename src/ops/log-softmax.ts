import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { rowsOf } from "./internal/product.ts";

/**
 * Logarithm of the softmax over the last axis: y = x − log Σ exp x, computed without overflow.
 *
 * @returns the shape of x
 * @throws ShapeError if x has no axis
 * @example logSoftmax(x) // [0, 0] → [-0.6931, -0.6931]
 */
export function logSoftmax(x: Tensor): Tensor {
  const context = contextOf("logSoftmax", x);
  if (x.shape.length === 0) {
    throw new ShapeError(`logSoftmax: needs at least one axis: got ${formatShape(x.shape)}`);
  }
  const { backend } = context;
  const columns = x.shape[x.shape.length - 1];
  const rows = rowsOf(x.shape);
  const y = context.output(x.shape, [x]);
  backend.logSoftmaxRows(y.buffer, x.buffer, rows, columns);
  context.recordOp("logSoftmax", y, (dy) =>
    backend.logSoftmaxRowsBackward(x.gradientTarget(), dy, y.buffer, rows, columns),
  );
  return y;
}
