import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { AttentionMask, Buffer, Matrices } from "../backend/backend.ts";
import type { Random } from "../random.ts";
import { checkTypes } from "../util/check-types.ts";
import { droppingOf } from "./dropout.ts";
import { checkAttention } from "./internal/attention-checks.ts";
import { withGradientTargets } from "./internal/gradient-targets.ts";
import { withGroupSums } from "./internal/group-sums.ts";
import { scale } from "./scale.ts";

export interface AttentionOptions {
  /** The number of heads of queries (H). Those of keys and values (H_kv) follow from their channels. */
  readonly heads: number;
  /** "causal", "full", or a key range for each sequence, which handles padding and cached keys. */
  readonly mask: AttentionMask;
  /** Only the first `keyCount` keys and values take part, so that a cache is read in place. Default: all. */
  readonly keyCount?: number;
  /** The probability of dropping an attention weight. Default: 0. */
  readonly dropout?: number;
  /** Draws the dropout key; null outside training. */
  readonly random?: Random | null;
}

/**
 * Scaled dot-product attention for all heads in one kernel: softmax(Q·Kᵀ/√D + M)·V.
 *
 * Same numbers as nn/layers/textbook-attention.ts, but hidden scores are never computed, and the weights (T, S) are
 * never stored: backward recomputes them from two saved numbers per query. A query that sees no key yields 0 and gets
 * gradient 0, and so does a key that no query sees.
 *
 * With fewer heads of keys than of queries, each serves a group of G = H / H_kv neighboring heads of queries.
 *
 * Source: Vaswani et al. 2017, §3.2; recomputation: Dao et al. 2022; groups: Ainslie et al. 2023.
 *
 * @param query  (B, T, C), C = H·D
 * @param keys   (B, S, H_kv·D)
 * @param values (B, S, H_kv·D)
 * @returns      (B, T, C); channels h·D … (h+1)·D−1 come from head h
 * @throws ShapeError if the shapes, heads or key ranges do not fit, or if the mask is causal and T > keyCount
 * @example attention(q, k, v, { heads: 2, mask: "causal" }) // q, k, v (1, 3, 8) → (1, 3, 8)
 */
export function attention(query: Tensor, keys: Tensor, values: Tensor, options: AttentionOptions): Tensor {
  const context = contextOf("attention", query, keys, values);
  checkTypes("attention", { options }, { options: "object" });
  // The backward kernel writes three gradients at once, so operands that share memory are copied first.
  const key = keys.storage === query.storage ? scale(keys, 1) : keys;
  const value =
    values.storage === query.storage || values.storage === keys.storage ? scale(values, 1) : values;
  const { backend } = context;
  const { heads, mask, keyCount = key.shape[1] } = options;
  checkAttention(query, key, value, { heads, keyCount, mask });
  const [batchSize, queries, channels] = query.shape;
  const keyChannels = key.shape[2];
  const width = channels / heads;
  const kvHeads = keyChannels / width;
  const group = heads / kvHeads;
  // Kernels are fastest when the heads lie along the last axis.
  const axes = group === 1 ? 2 : 3;
  const size = {
    batch: [batchSize, kvHeads, group].slice(0, axes),
    rows: queries,
    columns: keyCount,
    width,
    scale: 1 / Math.sqrt(width),
    mask,
    dropping: droppingOf(options.dropout ?? 0, options.random ?? null),
  };
  /** (B, rows, H·D) as B·H matrices (rows, D): heads are strides, not copies. */
  const byHead = (buffer: Buffer, rows: number): Matrices => ({
    buffer,
    offset: 0,
    rowStride: channels,
    columnStride: 1,
    batchStrides: [rows * channels, group * width, width].slice(0, axes),
  });
  /** (B, S, H_kv·D) likewise: the heads of a group have the same matrix, so their stride is 0. */
  const byGroup = (buffer: Buffer): Matrices => ({
    buffer,
    offset: 0,
    rowStride: keyChannels,
    columnStride: 1,
    batchStrides: [key.shape[1] * keyChannels, width, 0].slice(0, axes),
  });
  const q = byHead(query.buffer, queries);
  const [k, v] = [byGroup(key.buffer), byGroup(value.buffer)];
  const y = context.output(query.shape, [query, key, value]);
  const rows = batchSize * heads * queries;
  const statistics = { max: backend.alloc(rows), sum: backend.alloc(rows) };
  backend.attention(byHead(y.buffer, queries), statistics, q, k, v, size);
  const backward = (dyBuffer: Buffer) => {
    const whole = keyCount === key.shape[1];
    const gradients = [
      { tensor: query, whole: true },
      { tensor: key, whole },
      { tensor: value, whole },
    ];
    withGradientTargets(backend, gradients, ([toQuery, toKey, toValue]) => {
      withGroupSums(backend, [toKey, toValue], { group, width }, ([ofKey, ofValue]) => {
        const dq = byHead(toQuery.buffer, queries);
        const dk = byHead(ofKey.buffer, key.shape[1]);
        const dv = byHead(ofValue.buffer, key.shape[1]);
        const [dy, result] = [byHead(dyBuffer, queries), byHead(y.buffer, queries)];
        const accumulate = { dq: toQuery.accumulate, dk: ofKey.accumulate, dv: ofValue.accumulate };
        backend.attentionBackward(dq, dk, dv, dy, result, statistics, q, k, v, size, accumulate);
      });
    });
  };
  context.recordOp("attention", y, backward, [statistics.max, statistics.sum]);
  return y;
}
