import type { Tensor } from "../../autograd/tensor.ts";
import { reshape } from "../../ops/reshape.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";

/**
 * Each head's part of queries or keys to a root mean square of 1, so that no score exceeds √D: attention cannot
 * freeze by growing its weights.
 *
 * @param x (B, T, C), heads of C / heads channels
 * @returns (B, T, C)
 * Source: Henry et al. 2020; without a learned scale, as in the speed-run models that came after.
 */
export function normalizeHeads(x: Tensor, heads: number): Tensor {
  const channels = x.shape[x.shape.length - 1];
  return reshape(rmsNorm(reshape(x, [...x.shape.slice(0, -1), heads, channels / heads]), null), x.shape);
}
