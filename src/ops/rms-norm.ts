import type { Tensor } from "../autograd/tensor.ts";
import { normalize } from "./internal/normalize.ts";

/**
 * Root-mean-square normalization over the last axis: layer normalization without subtracting the mean.
 *
 *   y = x / √(mean(x²) + ε) ⊙ weight
 *
 * Source: Zhang & Sennrich 2019.
 *
 * @param x       (…, C)
 * @param weight  (C), or null for 1
 * @param epsilon avoids division by zero
 * @returns       the shape of x
 * @throws ShapeError if weight is not (C)
 * @example rmsNorm(x, weight) // x (2, 3, 8), weight (8) → (2, 3, 8)
 */
export function rmsNorm(x: Tensor, weight: Tensor | null, epsilon = 1e-5): Tensor {
  return normalize(x, { op: "rmsNorm", weight, bias: null, centered: false, epsilon });
}
