import type { Tensor } from "../autograd/tensor.ts";
import { broadcastTogether } from "./internal/broadcast.ts";

/**
 * Elementwise division with broadcasting: y = a / b.
 *
 * @returns the common shape of a and b
 * @throws ShapeError if the shapes do not broadcast
 * @example divide(x, total) // x (2, 3), total (2, 1) → (2, 3)
 */
export function divide(left: Tensor, right: Tensor): Tensor {
  const { context, shape, a, b } = broadcastTogether("divide", left, right);
  const { backend } = context;
  const y = context.output(shape, [a, b]);
  backend.binary("divide", y.target, a.buffer, b.buffer);
  context.recordOp("divide", y, (dy) => {
    // da = dy / b, db = −dy ⊙ y / b.
    if (a.needsGradient) backend.binary("divide", a.gradientTarget(), dy, b.buffer);
    if (b.needsGradient) {
      context.withScratch(y.size, (derivative) => {
        const target = { buffer: derivative, accumulate: false };
        backend.binary("multiply", target, dy, y.buffer);
        backend.binary("divide", target, derivative, b.buffer);
        backend.scale(b.gradientTarget(), derivative, -1);
      });
    }
  });
  return y;
}
