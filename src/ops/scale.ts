import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { checkTypes } from "../util/check-types.ts";

/**
 * Multiplication by a plain number: y = factor·x.
 *
 * @returns the shape of x
 * @example scale(x, 0.5) // [2, 4] → [1, 2]
 */
export function scale(x: Tensor, factor: number): Tensor {
  const context = contextOf("scale", x);
  checkTypes("scale", { factor }, { factor: "number" });
  const { backend } = context;
  const y = context.output(x.shape, [x]);
  backend.scale(y.target, x.buffer, factor);
  context.recordOp("scale", y, (dy) => backend.scale(x.gradientTarget(), dy, factor));
  return y;
}
