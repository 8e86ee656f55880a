import type { Tensor } from "../autograd/tensor.ts";
import type { Mask, MatrixSize } from "../backend/backend.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";

/**
 * Softmax over the last axis, optionally causal.
 *
 *   y[…, t, s] = exp(x[…, t, s] − max) / Σ exp(x[…, t, ·] − max)    over visible s
 *
 * @param x    (…, T, S) scores, already scaled; (…, S) if every entry is visible
 * @param mask "causal": query t sees keys 0 … S−T+t; "full": all
 * @returns    the shape of x; visible entries of a row sum to 1, hidden ones are exactly 0
 * @throws ShapeError when x has no axis, or causal and T > S
 * Source: Vaswani et al. 2017, §3.2.
 */
export function softmax(x: Tensor, mask: Mask = "full"): Tensor {
  const { context } = x;
  const { backend } = context;
  const size = asMatrices("softmax", x.shape, mask);
  const y = context.output(x.shape, [x]);
  backend.softmaxRows(y.buffer, x.buffer, size, mask);
  // A hidden entry has y = 0, so its gradient is 0: the mask is not needed again.
  context.recordOp("softmax", y, (dy) => backend.softmaxRowsBackward(x.gradientTarget(), dy, y.buffer, size));
  return y;
}

function asMatrices(op: string, shape: Shape, mask: Mask): MatrixSize {
  if (shape.length === 0) throw new ShapeError(`${op}: needs at least one axis: got ${formatShape(shape)}`);
  const columns = shape[shape.length - 1];
  const rows = shape[shape.length - 2] ?? 1;
  if (mask === "causal" && rows > columns) {
    throw new ShapeError(`${op}: causal needs keys ≥ queries: got ${rows} queries over ${columns} keys`);
  }
  return { count: sizeOf(shape.slice(0, -2)), rows, columns };
}
