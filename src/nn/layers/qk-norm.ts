import type { Tensor } from "../../autograd/tensor.ts";
import { reshape } from "../../ops/reshape.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";

/**
 * Scales the queries or keys of each head to root mean square 1. Scores are then at most √D, however large the weights
 * become, so attention cannot saturate.
 *
 * Source: Henry et al. 2020; without a learned scale, as in the later speedrun models.
 *
 * @param x (B, T, C), heads of C / heads channels
 * @returns (B, T, C)
 */
export function normalizeHeads(x: Tensor, heads: number): Tensor {
  const channels = x.shape[x.shape.length - 1];
  return reshape(rmsNorm(reshape(x, [...x.shape.slice(0, -1), heads, channels / heads]), null), x.shape);
}
