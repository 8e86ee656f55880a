import type { Tensor } from "../autograd/tensor.ts";
import { normalize } from "./internal/normalize.ts";

/**
 * Layer normalization over the last axis: each row gets mean 0 and variance 1, then a scale and a shift.
 *
 *   y = (x − mean) / √(variance + ε) ⊙ weight + bias
 *
 * Source: Ba, Kiros & Hinton 2016.
 *
 * @param x       (…, C)
 * @param weight  (C), or null for 1
 * @param bias    (C), or null for 0
 * @param epsilon avoids division by zero
 * @returns       the shape of x
 * @throws ShapeError if weight or bias are not (C)
 * @example layerNorm(x, weight, bias) // x (2, 3, 8), weight (8), bias (8) → (2, 3, 8)
 */
export function layerNorm(x: Tensor, weight: Tensor | null, bias: Tensor | null, epsilon = 1e-5): Tensor {
  return normalize(x, { op: "layerNorm", weight, bias, centered: true, epsilon });
}
