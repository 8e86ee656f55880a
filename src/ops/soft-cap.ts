import type { Tensor } from "../autograd/tensor.ts";
import { scale } from "./scale.ts";
import { tanh } from "./unary.ts";

/**
 * Presses numbers into −limit … limit: near 0 they stay what they are, far off they come close to the limit.
 *
 *   y = limit·tanh(x / limit)
 *
 * @param limit above 0
 * @returns     the shape of x
 * Source: Gemma Team 2024, §2.
 */
export function softCap(x: Tensor, limit: number): Tensor {
  return scale(tanh(scale(x, 1 / limit)), limit);
}
