import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { TensorError } from "../errors.ts";
import { broadcastTogether } from "./internal/broadcast.ts";

/**
 * Adds a mask to scores: y = x + M, where M is 0 for visible entries and −∞ for hidden ones.
 *
 * After a softmax, hidden entries are exactly 0. (Zeroing them after the softmax instead would leave rows that do not
 * sum to 1.) Unlike `add`, the mask gets no gradient: −∞ has none.
 *
 * @param x    (…, T, S) scores
 * @param mask broadcasts with x
 * @throws ShapeError if the shapes do not broadcast
 * @throws TensorError if the mask needs a gradient
 * @example maskedAdd(scores, mask) // scores (1, 2, 3, 3), mask (3, 3) → (1, 2, 3, 3)
 */
export function maskedAdd(x: Tensor, mask: Tensor): Tensor {
  contextOf("maskedAdd", x, mask);
  if (mask.needsGradient) throw new TensorError("maskedAdd: a mask of 0 and −∞ cannot need a gradient");
  const { context, shape, a: scores, b: hidden } = broadcastTogether("maskedAdd", x, mask);
  const { backend } = context;
  const y = context.output(shape, [scores]);
  backend.binary("add", y.target, scores.buffer, hidden.buffer);
  context.recordOp("maskedAdd", y, (dy) => backend.scale(scores.gradientTarget(), dy, 1));
  return y;
}
