import type { Tensor } from "../autograd/tensor.ts";
import { scale } from "./scale.ts";

/**
 * Negation: y = −x.
 *
 * @returns the shape of x
 * @example negate(x) // [1, -2] → [-1, 2]
 */
export function negate(x: Tensor): Tensor {
  return scale(x, -1);
}
