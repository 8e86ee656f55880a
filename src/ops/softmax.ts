import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { Mask, MatrixSize } from "../backend/backend.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import { checkChoice } from "../util/check-types.ts";

/**
 * Softmax over the last axis, optionally causal.
 *
 *   y[…, t, s] = exp(x[…, t, s] − max) / Σ exp(x[…, t, ·] − max)    over visible s
 *
 * Source: Vaswani et al. 2017, §3.2.
 *
 * @param x    (…, T, S) scores, already scaled; (…, S) with mask "full"
 * @param mask "causal": query t sees keys 0 … S−T+t; "full": all
 * @returns    the shape of x; the visible entries of a row sum to 1, and hidden ones are exactly 0
 * @throws ShapeError if x has no axis, or the mask is causal and T > S
 * @example softmax(x, "causal") // [[0, 0], [0, 0]] → [[1, 0], [0.5, 0.5]]
 */
export function softmax(x: Tensor, mask: Mask = "full"): Tensor {
  const context = contextOf("softmax", x);
  checkChoice("mask", mask, ["full", "causal"]);
  const { backend } = context;
  const size = asMatrices("softmax", x.shape, mask);
  const y = context.output(x.shape, [x]);
  backend.softmaxRows(y.buffer, x.buffer, size, mask);
  // A hidden entry has y = 0 and thus gradient 0, so backward does not need the mask.
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
