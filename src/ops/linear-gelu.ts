import type { Tensor } from "../autograd/tensor.ts";
import type { Span } from "../backend/backend.ts";
import { sizeOf } from "../shape.ts";
import { type GeluForm, geluName } from "./gelu.ts";
import { affineMap } from "./linear.ts";

/**
 * gelu(x·W + b) in one: the numbers and gradients of `gelu` after `linear`, to the bit.
 *
 * Where a gradient is wanted, the kernel gives GELU's slope beside its value, which hardly takes longer, and writes
 * it over x·W + b, which nothing else needs. So backward computes no exponential, and no span is kept for it besides.
 *
 * @param x      (…, I)
 * @param weight (I, O)
 * @param bias   (O), or null
 * @returns      (…, O)
 * @throws ShapeError when the sizes do not fit
 */
export function linearGelu(x: Tensor, weight: Tensor, bias: Tensor | null, form: GeluForm = "exact"): Tensor {
  const { context, shape, inputs, forward, backward } = affineMap("linearGelu", x, weight, bias);
  const { backend } = context;
  const name = geluName(form);
  const y = context.output(shape, inputs);
  if (!y.needsGradient) {
    context.borrow(sizeOf(shape), (z) => {
      forward(z);
      backend.map(name, y.span, z);
    });
    return y;
  }
  const slope = backend.alloc(sizeOf(shape));
  forward(slope);
  backend.mapWithSlope(name, y.span, slope, slope);
  const dzFrom = (dy: Span) => {
    // dz = dy ⊙ gelu′(z), in the place of the slope: backward runs once.
    backend.zip("multiply", { span: slope, accumulate: false }, dy, slope);
    backward(slope);
  };
  context.record("linearGelu", y, dzFrom, [slope]);
  return y;
}
