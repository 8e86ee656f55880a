/**
 * Elementwise functions: y = f(x), dx = dy ⊙ f′(x). The kernels implement every f and f′. Each y has the shape of x.
 */
import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { UnaryName } from "../backend/backend.ts";

/**
 * Exponential: y = eˣ, so dx = dy ⊙ y.
 *
 * @example exp(x) // [0, 1] → [1, 2.7183]
 */
export function exp(x: Tensor): Tensor {
  return unary("exp", x);
}

/**
 * Natural logarithm: y = ln x, so dx = dy / x. The logarithm of 0 is −∞, of a negative number NaN.
 *
 * @example log(x) // [1, 2] → [0, 0.6931]
 */
export function log(x: Tensor): Tensor {
  return unary("log", x);
}

/**
 * Square root: y = √x, so dx = dy / 2y.
 *
 * @example sqrt(x) // [1, 4] → [1, 2]
 */
export function sqrt(x: Tensor): Tensor {
  return unary("sqrt", x);
}

/**
 * Hyperbolic tangent: y = tanh x, so dx = dy ⊙ (1 − y²).
 *
 * @example tanh(x) // [0, 1] → [0, 0.7616]
 */
export function tanh(x: Tensor): Tensor {
  return unary("tanh", x);
}

/**
 * Rectified linear unit: y = max(x, 0), so dx = dy where x > 0 and 0 elsewhere.
 *
 * @example relu(x) // [-1, 2] → [0, 2]
 */
export function relu(x: Tensor): Tensor {
  return unary("relu", x);
}

/**
 * y = max(0, x)², so dx = 2·dy ⊙ max(0, x): no kink at 0. Source: So et al. 2021.
 *
 * @example reluSquared(x) // [-1, 3] → [0, 9]
 */
export function reluSquared(x: Tensor): Tensor {
  return unary("relu2", x);
}

/**
 * y = x·σ(x) with σ(x) = 1/(1 + e^{−x}), also called swish. Source: Elfwing, Uchibe & Doya 2017.
 *
 * @example silu(x) // [0, 1] → [0, 0.7311]
 */
export function silu(x: Tensor): Tensor {
  return unary("silu", x);
}

/** The op for any elementwise function that the kernels implement. */
export function unary(name: UnaryName, x: Tensor): Tensor {
  const context = contextOf(name, x);
  const { backend } = context;
  const y = context.output(x.shape, [x]);
  backend.unary(name, y.buffer, x.buffer);
  context.recordOp(name, y, (dy) => backend.unaryBackward(name, x.gradientTarget(), dy, x.buffer, y.buffer));
  return y;
}
