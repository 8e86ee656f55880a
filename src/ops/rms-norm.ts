import type { Tensor } from "../autograd/tensor.ts";
import { normalize } from "./internal/normalize.ts";

/**
 * Root-mean-square normalization over the last axis: layer normalization without the mean. Only a row's length
 * changes, not its direction.
 *
 *   y = x / √(mean(x²) + ε) ⊙ weight
 *
 * @param x       (…, C)
 * @param weight  (C), or null for 1
 * @param epsilon keeps a row of zeros finite
 * @returns       the shape of x
 * @throws ShapeError when weight is not (C)
 * Source: Zhang & Sennrich 2019.
 */
export function rmsNorm(x: Tensor, weight: Tensor | null, epsilon = 1e-5): Tensor {
  return normalize(x, { op: "rmsNorm", weight, bias: null, centered: false, epsilon });
}
