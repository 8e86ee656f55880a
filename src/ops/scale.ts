import type { Tensor } from "../autograd/tensor.ts";

/**
 * Multiplication by one plain number: y = factor·x.
 *
 * @returns the shape of x
 */
export function scale(x: Tensor, factor: number): Tensor {
  const { context } = x;
  const { backend } = context;
  const y = context.output(x.shape, [x]);
  backend.scale(y.target, x.buffer, factor);
  context.recordOp("scale", y, (dy) => backend.scale(x.gradientTarget(), dy, factor));
  return y;
}
