import type { Tensor } from "../autograd/tensor.ts";
import type { MatrixSize, Visibility } from "../backend/backend.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";

/** Which keys a query sees. "causal": those up to its own position. "none": all of them. */
export type Mask = "causal" | "none";

/**
 * Softmax over the last axis, optionally causal.
 *
 *   y[…, t, s] = exp(x[…, t, s] − max) / Σ exp(x[…, t, ·] − max)    over visible s
 *
 * @param x    (…, T, S) scores, already scaled; (…, S) without a mask
 * @param mask "causal": query t sees keys 0 … S−T+t; "none": all
 * @returns    the shape of x; visible entries of a row sum to 1, hidden ones are exactly 0
 * @throws ShapeError when x has no axis, or causal and T > S
 * Source: Vaswani et al. 2017, §3.2.
 */
export function softmax(x: Tensor, mask: Mask = "none"): Tensor {
  const { context } = x;
  const { backend } = context;
  const size = asMatrices("softmax", x.shape, mask);
  const y = context.output(x.shape, [x]);
  backend.softmaxRows(y.buffer, x.buffer, size, visibilityOf(mask));
  // A hidden entry has y = 0, and so dx = 0: the mask is not said twice.
  context.recordOp("softmax", y, (dy) => backend.softmaxRowsBackward(x.gradientTarget(), dy, y.buffer, size));
  return y;
}

/** The mask in the words of the kernels. */
export function visibilityOf(mask: Mask): Visibility {
  return mask === "causal" ? "staircase" : "all";
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
