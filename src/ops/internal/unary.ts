/** What exp, log, tanh and their like share: one kernel forward, one backward. */
import type { Tensor } from "../../autograd/tensor.ts";
import type { UnaryName } from "../../backend/backend.ts";

/** y = f(x), element by element; dx = dy ⊙ f′(x). */
export function unary(name: UnaryName, x: Tensor): Tensor {
  const { context } = x;
  const { backend } = context;
  const y = context.output(x.shape, [x]);
  backend.unary(name, y.buffer, x.buffer);
  context.recordOp(name, y, (dy) => backend.unaryBackward(name, x.gradientTarget(), dy, x.buffer, y.buffer));
  return y;
}
