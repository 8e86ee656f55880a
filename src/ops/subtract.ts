import type { Tensor } from "../autograd/tensor.ts";
import { broadcastTogether } from "./internal/broadcast.ts";

/**
 * Elementwise subtraction with broadcasting: y = a − b.
 *
 * @returns the common shape of a and b
 * @throws ShapeError if the shapes do not broadcast
 * @example subtract(x, offset) // x (2, 3), offset (2, 1) → (2, 3)
 */
export function subtract(left: Tensor, right: Tensor): Tensor {
  const { context, shape, a, b } = broadcastTogether("subtract", left, right);
  const { backend } = context;
  const y = context.output(shape, [a, b]);
  backend.binary("subtract", y.target, a.buffer, b.buffer);
  context.recordOp("subtract", y, (dy) => {
    if (a.needsGradient) backend.scale(a.gradientTarget(), dy, 1);
    if (b.needsGradient) backend.scale(b.gradientTarget(), dy, -1);
  });
  return y;
}
