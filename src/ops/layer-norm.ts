import type { Tensor } from "../autograd/tensor.ts";
import { normalize } from "./internal/normalize.ts";

/**
 * Layer normalization over the last axis: mean 0 and variance 1 for each position, then scaled and shifted.
 *
 *   y = (x − mean) / √(variance + ε) ⊙ weight + bias
 *
 * @param x       (…, C)
 * @param weight  (C), or null for 1
 * @param bias    (C), or null for 0
 * @param epsilon keeps a constant row finite
 * @returns       the shape of x
 * @throws ShapeError when weight or bias are not (C)
 * Source: Ba, Kiros & Hinton 2016.
 */
export function layerNorm(x: Tensor, weight: Tensor | null, bias: Tensor | null, epsilon = 1e-5): Tensor {
  return normalize(x, { op: "layerNorm", weight, bias, centered: true, epsilon });
}
