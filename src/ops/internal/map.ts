/** What exp, log, tanh and their like share: one kernel forward, one backward. */
import type { Tensor } from "../../autograd/tensor.ts";
import type { MapName } from "../../backend/backend.ts";

/** y = f(x), element by element; dx = dy ⊙ f′(x). */
export function map(name: MapName, x: Tensor): Tensor {
  const { context } = x;
  const { backend } = context;
  const y = context.output(x.shape, [x]);
  backend.map(name, y.span, x.span);
  context.record(name, y, (dy) => backend.mapBackward(name, x.gradientSink(), dy, x.span, y.span));
  return y;
}
