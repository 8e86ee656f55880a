/** Functions of each element: y = f(x), dx = dy ⊙ f′(x). The kernels know every f and f′; each y has the shape of x. */
import type { Tensor } from "../autograd/tensor.ts";
import type { UnaryName } from "../backend/backend.ts";

/** y = eˣ, so dx = dy ⊙ y. */
export function exp(x: Tensor): Tensor {
  return unary("exp", x);
}

/** y = ln x, so dx = dy / x. ln 0 is −∞; of a negative number, NaN. */
export function log(x: Tensor): Tensor {
  return unary("log", x);
}

/** y = √x, so dx = dy / 2y. */
export function sqrt(x: Tensor): Tensor {
  return unary("sqrt", x);
}

/** y = tanh x, so dx = dy ⊙ (1 − y²). */
export function tanh(x: Tensor): Tensor {
  return unary("tanh", x);
}

/** y = max(x, 0), so dx = dy where x > 0 and 0 elsewhere, including at 0. */
export function relu(x: Tensor): Tensor {
  return unary("relu", x);
}

/** y = max(0, x)², so dx = 2·dy ⊙ max(0, x): no corner at 0. Source: So et al. 2021. */
export function reluSquared(x: Tensor): Tensor {
  return unary("relu2", x);
}

/** y = x·σ(x) with σ(x) = 1/(1 + e^{−x}), also called swish. Source: Elfwing, Uchibe & Doya 2017. */
export function silu(x: Tensor): Tensor {
  return unary("silu", x);
}

/** The op of a function that the kernels know. */
export function unary(name: UnaryName, x: Tensor): Tensor {
  const { context } = x;
  const { backend } = context;
  const y = context.output(x.shape, [x]);
  backend.unary(name, y.buffer, x.buffer);
  context.recordOp(name, y, (dy) => backend.unaryBackward(name, x.gradientTarget(), dy, x.buffer, y.buffer));
  return y;
}
