import type { Tensor } from "../autograd/tensor.ts";
import { TensorError } from "../errors.ts";
import { broadcastTogether } from "./internal/broadcast.ts";

/**
 * Scores plus a mask: y = x + M, where M is 0 for what may be seen and −∞ for what may not.
 *
 * Unlike `add`, the second operand is not differentiated: −∞ has no derivative. After a softmax the hidden entries
 * are exactly 0. (0 added after the softmax instead would leave each row's sum wrong.)
 *
 * @param x    (…, T, S) scores
 * @param mask broadcasts with x
 * @throws ShapeError when the shapes do not broadcast
 * @throws TensorError when the mask needs a gradient
 */
export function maskedAdd(x: Tensor, mask: Tensor): Tensor {
  if (mask.needsGradient) throw new TensorError("maskedAdd: a mask of 0 and −∞ cannot need a gradient");
  const { context, shape, a: scores, b: hidden } = broadcastTogether("maskedAdd", x, mask);
  const { backend } = context;
  const y = context.output(shape, [scores]);
  backend.binary("add", y.target, scores.buffer, hidden.buffer);
  context.recordOp("maskedAdd", y, (dy) => backend.scale(scores.gradientTarget(), dy, 1));
  return y;
}
