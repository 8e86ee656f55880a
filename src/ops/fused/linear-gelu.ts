import type { Tensor } from "../../autograd/tensor.ts";
import { sizeOf } from "../../shape.ts";
import { type GeluForm, geluName } from "../gelu.ts";
import { linearBackward, linearForward, linearShape } from "../linear.ts";

/**
 * gelu(x·W + b) in one op: the numbers and gradients of `gelu` after `linear`, to the bit.
 *
 * Under a tape, the kernel computes GELU's derivative along with its value, which costs hardly more, and writes it over
 * x·W + b, which nothing else needs. So backward computes no exponential.
 *
 * @param x      (…, I)
 * @param weight (I, O)
 * @param bias   (O), or null
 * @returns      (…, O)
 * @throws ShapeError when the sizes do not fit
 */
export function linearGelu(x: Tensor, weight: Tensor, bias: Tensor | null, form: GeluForm = "exact"): Tensor {
  const layout = "in-out";
  const shape = linearShape("linearGelu", x, weight, bias, layout);
  const { context } = x;
  const { backend } = context;
  const name = geluName(form);
  const y = context.output(shape, bias === null ? [x, weight] : [x, weight, bias]);
  if (!y.needsGradient) {
    linearForward(y.buffer, x, weight, bias, layout);
    backend.unary(name, y.buffer, y.buffer);
    context.recordOp("linearGelu", y, () => {});
    return y;
  }
  // z = x·W + b, then gelu′(z) in its place.
  const derivative = backend.alloc(sizeOf(shape));
  linearForward(derivative, x, weight, bias, layout);
  backend.geluWithDerivative(name, y.buffer, derivative, derivative);
  context.recordOp(
    "linearGelu",
    y,
    (dy) => {
      // dz = dy ⊙ gelu′(z), in place again: backward runs once.
      backend.binary("multiply", { buffer: derivative, accumulate: false }, dy, derivative);
      linearBackward(derivative, x, weight, bias, layout);
    },
    [derivative],
  );
  return y;
}
