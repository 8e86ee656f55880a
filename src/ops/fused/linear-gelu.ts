import type { Tensor } from "../../autograd/tensor.ts";
import type { Buffer } from "../../backend/backend.ts";
import { type GeluForm, geluName } from "../gelu.ts";
import { linearSize } from "../internal/linear-size.ts";
import { linearBackward, linearForward } from "../linear.ts";

/**
 * gelu(x·W + b) as one op, with the same bits as `gelu(linear(x, weight, bias))`, forward and backward.
 *
 * With a tape, the kernel computes GELU's derivative together with its value, at almost no extra cost, and stores it
 * over x·W + b, which is no longer needed. Backward then needs no exponentials.
 *
 * @param x      (…, I)
 * @param weight (I, O)
 * @param bias   (O), or null
 * @returns      (…, O)
 * @throws ShapeError if the sizes do not fit
 */
export function linearGelu(x: Tensor, weight: Tensor, bias: Tensor | null, form: GeluForm = "exact"): Tensor {
  const size = linearSize("linearGelu", x, weight, bias, "in-out");
  const { context } = x;
  const { backend } = context;
  const name = geluName(form);
  const y = context.output(size.shape, bias === null ? [x, weight] : [x, weight, bias]);
  if (!y.needsGradient) {
    linearForward(y.buffer, x, weight, bias, size);
    backend.unary(name, y.buffer, y.buffer);
    context.recordOp("linearGelu", y, () => {});
    return y;
  }
  // z = x·W + b, overwritten by gelu′(z).
  const derivative = backend.alloc(y.size);
  linearForward(derivative, x, weight, bias, size);
  backend.geluWithDerivative(name, y.buffer, derivative, derivative);
  const backward = (dy: Buffer) => {
    // dz = dy ⊙ gelu′(z), in place: backward runs only once.
    backend.binary("multiply", { buffer: derivative, accumulate: false }, dy, derivative);
    linearBackward(derivative, x, weight, bias, size);
  };
  context.recordOp("linearGelu", y, backward, [derivative]);
  return y;
}
