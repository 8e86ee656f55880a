import type { Tensor } from "../autograd/tensor.ts";
import { broadcastTogether } from "./internal/broadcast.ts";

/**
 * Division element by element, broadcasting: y = a / b.
 *
 * @returns the common shape of a and b
 * @throws ShapeError when the shapes do not broadcast
 */
export function divide(left: Tensor, right: Tensor): Tensor {
  const { context, shape, a, b } = broadcastTogether("divide", left, right);
  const { backend } = context;
  const y = context.output(shape, [a, b]);
  backend.zip("divide", y.sink, a.span, b.span);
  context.record("divide", y, (dy) => {
    // da = dy / b, db = −dy ⊙ y / b.
    if (a.needsGradient) backend.zip("divide", a.gradientSink(), dy, b.span);
    if (b.needsGradient) {
      context.borrow(y.size, (slope) => {
        const sink = { span: slope, accumulate: false };
        backend.zip("multiply", sink, dy, y.span);
        backend.zip("divide", sink, slope, b.span);
        backend.scale(b.gradientSink(), slope, -1);
      });
    }
  });
  return y;
}
