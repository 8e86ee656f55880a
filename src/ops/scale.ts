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
  backend.scale(y.sink, x.span, factor);
  context.record("scale", y, (dy) => backend.scale(x.gradientSink(), dy, factor));
  return y;
}
