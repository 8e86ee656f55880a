/**
 * Attention as in the textbook, from plain ops, so that every intermediate result is a tensor you can inspect:
 *
 *   softmax(Q·Kᵀ/√D + M)·V        for each head; M is 0 where a query may attend and −∞ where it may not
 *
 * −∞ is added before the softmax, so hidden weights are exp(−∞) = 0 exactly, and the visible ones sum to 1. Source:
 * Vaswani et al. 2017, §3.2.
 */
import type { Tensor } from "../../autograd/tensor.ts";
import type { AttentionMask } from "../../backend/backend.ts";
import { ShapeError } from "../../errors.ts";
import { concatenate } from "../../ops/concatenate.ts";
import { dropout } from "../../ops/dropout.ts";
import { maskedAdd } from "../../ops/masked-add.ts";
import { matmul } from "../../ops/matmul.ts";
import { reshape } from "../../ops/reshape.ts";
import { scale } from "../../ops/scale.ts";
import { slice } from "../../ops/slice.ts";
import { softmax } from "../../ops/softmax.ts";
import { transpose } from "../../ops/transpose.ts";
import type { Random } from "../../random.ts";
import type { Shape } from "../../shape.ts";
import type { KeysAndValues } from "../inputs/forward-options.ts";

/** Makes M (T, S), in row-major order, for T queries that are the last of S positions. */
export type MaskMatrix = (queries: number, keys: number) => Float64Array;

/** No peeking to the right: query t is position S−T+t and sees keys 0 … S−T+t. */
export const causalMask: MaskMatrix = (queries, keys) =>
  Float64Array.from({ length: queries * keys }, (_, i) => {
    const [query, key] = [Math.floor(i / keys), i % keys];
    return key <= keys - queries + query ? 0 : Number.NEGATIVE_INFINITY;
  });

/** The steps from queries and keys to attention weights. */
export interface AttentionMap {
  /** S = Q·Kᵀ/√D (B, H, T, S): how well each key matches each query, before the mask. */
  readonly scores: Tensor;
  /** M, which is added to the scores: (T, S) if all sequences share it, (B, 1, T, S) otherwise. */
  readonly mask: Tensor;
  /** A = softmax(S + M) (B, H, T, S): how much query t takes from key s. Each row sums to 1. */
  readonly weights: Tensor;
}

/**
 * Scores and weights of each head.
 *
 * @param query (B, T, H·D)
 * @param key   (B, S, H_kv·D)
 */
export function attentionMap(
  query: Tensor,
  key: Tensor,
  { heads, mask: which }: { readonly heads: number; readonly mask: AttentionMask | MaskMatrix },
): AttentionMap {
  const headSize = query.shape[2] / heads;
  const [q, k] = [splitHeads(query, headSize), repeatHeads(splitHeads(key, headSize), heads)];
  const scores = scale(matmul(q, transpose(k)), 1 / Math.sqrt(headSize)); // (B, H, T, S)
  const { shape, values } = matrixOf(which, query.shape[0], query.shape[1], key.shape[1]);
  const mask = query.context.constant(shape, values);
  const weights = softmax(maskedAdd(scores, mask));
  return { scores, mask, weights };
}

/**
 * @param query  (B, T, H·D)
 * @param source keys and values (B, S, H_kv·D), of which the first `count` take part
 * @returns      (B, T, H·D); channels h·D … (h+1)·D−1 come from head h
 */
export function textbookAttention(
  query: Tensor,
  source: KeysAndValues,
  options: {
    readonly heads: number;
    readonly mask: AttentionMask | MaskMatrix;
    readonly dropout: number;
    readonly random: Random | null;
  },
): Tensor {
  const [key, value] = [source.keys, source.values].map((x) => firstPositions(x, source.count));
  const { weights } = attentionMap(query, key, options);
  const kept = dropout(weights, options.dropout, options.random);
  const headSize = query.shape[2] / options.heads;
  const values = repeatHeads(splitHeads(value, headSize), options.heads);
  return joinHeads(matmul(kept, values));
}

/** The elements of M: (T, S) if all sequences share it, (B, 1, T, S) otherwise. */
function matrixOf(
  mask: AttentionMask | MaskMatrix,
  batchSize: number,
  queries: number,
  keys: number,
): { shape: Shape; values: Float64Array } {
  const shape = [queries, keys];
  if (typeof mask === "function") return { shape, values: mask(queries, keys) };
  if (mask === "causal") return { shape, values: causalMask(queries, keys) };
  if (mask === "full") return { shape, values: new Float64Array(queries * keys) };
  if (mask.length !== batchSize) {
    throw new ShapeError(
      `attention: needs a key range for each of ${batchSize} sequences: got ${mask.length}`,
    );
  }
  const values = new Float64Array(batchSize * queries * keys).fill(Number.NEGATIVE_INFINITY);
  mask.forEach(({ start, end, diagonal }, b) => {
    for (let t = 0; t < queries; t++) {
      const row = (b * queries + t) * keys;
      for (let s = start; s < Math.min(end, diagonal + t + 1); s++) values[row + s] = 0;
    }
  });
  return { shape: [batchSize, 1, queries, keys], values };
}

/** The first `count` positions of each sequence; all if it is undefined. */
function firstPositions(x: Tensor, count: number | undefined): Tensor {
  return count === undefined || count === x.shape[1] ? x : slice(x, 1, 0, count);
}

/** (B, T, H·D) → (B, H, T, D) */
export function splitHeads(x: Tensor, headSize: number): Tensor {
  const [batchSize, positions, channels] = x.shape;
  return transpose(reshape(x, [batchSize, positions, channels / headSize, headSize]), [0, 2, 1, 3]);
}

/** (B, H_kv, S, D) → (B, H, S, D): query head h uses key head ⌊h / G⌋, where G = H / H_kv. */
export function repeatHeads(x: Tensor, heads: number): Tensor {
  const [batchSize, kvHeads, positions, headSize] = x.shape;
  if (kvHeads === heads) return x;
  const one = reshape(x, [batchSize, kvHeads, 1, positions, headSize]);
  const group = Array.from({ length: heads / kvHeads }, () => one);
  return reshape(concatenate(group, 2), [batchSize, heads, positions, headSize]);
}

/** (B, H, T, D) → (B, T, H·D) */
export function joinHeads(x: Tensor): Tensor {
  const [batchSize, heads, positions, headSize] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batchSize, positions, heads * headSize]);
}
