import type { Tensor } from "../../autograd/tensor.ts";
import type { Span } from "../../backend/backend.ts";
import { sizeOf } from "../../shape.ts";
import { type GeluForm, geluName } from "../gelu.ts";
import { AffineMap } from "../linear.ts";

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
  const affine = new AffineMap("linearGelu", x, weight, bias);
  const { context, shape } = affine;
  const { backend } = context;
  const name = geluName(form);
  const y = context.output(shape, affine.inputs);
  if (!y.needsGradient) {
    affine.forward(y.span);
    backend.map(name, y.span, y.span);
    return y;
  }
  const slope = backend.alloc(sizeOf(shape));
  affine.forward(slope);
  backend.mapWithSlope(name, y.span, slope, slope);
  const dzFrom = (dy: Span) => {
    // dz = dy ⊙ gelu′(z), in the place of the slope: backward runs once.
    backend.zip("multiply", { span: slope, accumulate: false }, dy, slope);
    affine.backward(slope);
  };
  context.record("linearGelu", y, dzFrom, [slope]);
  return y;
}
