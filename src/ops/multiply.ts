import type { Tensor } from "../autograd/tensor.ts";
import { broadcastTogether } from "./internal/broadcast.ts";

/**
 * Multiplication element by element, broadcasting: y = a ⊙ b.
 *
 * @returns the common shape of a and b
 * @throws ShapeError when the shapes do not broadcast
 */
export function multiply(left: Tensor, right: Tensor): Tensor {
  const { context, shape, a, b } = broadcastTogether("multiply", left, right);
  const { backend } = context;
  const y = context.output(shape, [a, b]);
  backend.zip("multiply", y.sink, a.span, b.span);
  context.record("multiply", y, (dy) => {
    // Product rule: da = dy ⊙ b, db = dy ⊙ a.
    if (a.needsGradient) backend.zip("multiply", a.gradientSink(), dy, b.span);
    if (b.needsGradient) backend.zip("multiply", b.gradientSink(), dy, a.span);
  });
  return y;
}
