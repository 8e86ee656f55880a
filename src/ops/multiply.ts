import type { Tensor } from "../autograd/tensor.ts";
import { broadcastTogether } from "./internal/broadcast.ts";

/**
 * Elementwise multiplication with broadcasting: y = a ⊙ b.
 *
 * @returns the common shape of a and b
 * @throws ShapeError if the shapes do not broadcast
 * @example multiply(x, gain) // x (2, 3), gain (3) → (2, 3)
 */
export function multiply(left: Tensor, right: Tensor): Tensor {
  const { context, shape, a, b } = broadcastTogether("multiply", left, right);
  const { backend } = context;
  const y = context.output(shape, [a, b]);
  backend.binary("multiply", y.target, a.buffer, b.buffer);
  context.recordOp("multiply", y, (dy) => {
    // Product rule: da = dy ⊙ b, db = dy ⊙ a.
    if (a.needsGradient) backend.binary("multiply", a.gradientTarget(), dy, b.buffer);
    if (b.needsGradient) backend.binary("multiply", b.gradientTarget(), dy, a.buffer);
  });
  return y;
}
