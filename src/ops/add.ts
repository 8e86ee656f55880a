import type { Tensor } from "../autograd/tensor.ts";
import { broadcastTogether } from "./broadcast.ts";

/**
 * Addition, broadcasting: y = a + b.
 *
 * @returns the common shape of a and b
 * @throws ShapeError when the shapes do not broadcast
 */
export function add(left: Tensor, right: Tensor): Tensor {
  const { context, shape, a, b } = broadcastTogether("add", left, right);
  const { backend } = context;
  const y = context.output(shape, [a, b]);
  backend.zip("add", y.sink, a.span, b.span);
  context.record("add", y, () => {
    if (a.needsGradient) a.receiveGradient(y);
    if (b.needsGradient) b.receiveGradient(y);
  });
  return y;
}
