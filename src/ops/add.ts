import type { Tensor } from "../autograd/tensor.ts";
import { broadcastTogether } from "./internal/broadcast.ts";

/**
 * Addition, broadcasting: y = a + b.
 *
 * @returns the common shape of a and b
 * @throws ShapeError when the shapes do not broadcast
 * @example add(x, bias) // x (2, 3), bias (3) → (2, 3)
 */
export function add(left: Tensor, right: Tensor): Tensor {
  const { context, shape, a, b } = broadcastTogether("add", left, right);
  const { backend } = context;
  const y = context.output(shape, [a, b]);
  backend.binary("add", y.target, a.buffer, b.buffer);
  context.recordOp("add", y, () => {
    // da = dy and db = dy, so the three share one buffer instead of copying it.
    if (a.needsGradient) a.shareGradient(y);
    if (b.needsGradient) b.shareGradient(y);
  });
  return y;
}
