import type { Tensor } from "../../autograd/tensor.ts";
import type { Buffer } from "../../backend/backend.ts";
import { sizeOf } from "../../shape.ts";
import { type GeluForm, geluName } from "../gelu.ts";
import { AffineMap } from "../linear.ts";

/**
 * gelu(x·W + b) in one: the numbers and gradients of `gelu` after `linear`, to the bit.
 *
 * Where a gradient is wanted, the kernel gives GELU's derivative beside its value, which hardly takes longer, and writes
 * it over x·W + b, which nothing else needs. So backward computes no exponential, and no buffer is kept for it besides.
 *
 * @param x      (…, I)
 * @param weight (I, O)
 * @param bias   (O), or null
 * @returns      (…, O)
 * @throws ShapeError when the sizes do not fit
 */
export function linearGelu(x: Tensor, weight: Tensor, bias: Tensor | null, form: GeluForm = "exact"): Tensor {
  const affine = new AffineMap("linearGelu", x, weight, bias);
  const { context, shape } = affine;
  const { backend } = context;
  const name = geluName(form);
  const y = context.output(shape, affine.inputs);
  if (!y.needsGradient) {
    affine.forward(y.buffer);
    backend.unary(name, y.buffer, y.buffer);
    return y;
  }
  const derivative = backend.alloc(sizeOf(shape));
  affine.forward(derivative);
  backend.geluWithDerivative(name, y.buffer, derivative, derivative);
  const dzFrom = (dy: Buffer) => {
    // dz = dy ⊙ gelu′(z), in the place of the derivative: backward runs once.
    backend.binary("multiply", { buffer: derivative, accumulate: false }, dy, derivative);
    affine.backward(derivative);
  };
  context.recordOp("linearGelu", y, dzFrom, [derivative]);
  return y;
}
