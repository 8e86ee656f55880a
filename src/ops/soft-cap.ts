import type { Tensor } from "../autograd/tensor.ts";
import { checkTypes } from "../util/check-types.ts";
import { scale } from "./scale.ts";
import { tanh } from "./unary.ts";

/**
 * Squashes numbers smoothly into −limit … limit. Small ones hardly change.
 *
 *   y = limit·tanh(x / limit)
 *
 * Source: Gemma Team 2024, §2.
 *
 * @param limit above 0
 * @returns     the shape of x
 * @example softCap(logits, 30) // [1, 100] → [0.9996, 29.924]
 */
export function softCap(x: Tensor, limit: number): Tensor {
  checkTypes("softCap", { limit }, { limit: "number" });
  return scale(tanh(scale(x, 1 / limit)), limit);
}
