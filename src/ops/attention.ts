import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { AttentionMask, Buffer, Matrices } from "../backend/backend.ts";
import type { Random } from "../random.ts";
import { checkTypes } from "../util/check-types.ts";
import { droppingOf } from "./dropout.ts";
import { checkAttention } from "./internal/attention-checks.ts";
import { withGradientTargets } from "./internal/gradient-targets.ts";
import { scale } from "./scale.ts";

export interface AttentionOptions {
  /** The number of heads (H). */
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
 * Source: Vaswani et al. 2017, §3.2; recomputation: Dao et al. 2022.
 *
 * @param query  (B, T, C)
 * @param keys   (B, S, C)
 * @param values (B, S, C)
 * @returns      (B, T, C); channels h·D … (h+1)·D−1 come from head h, D = C / H
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
  const width = channels / heads;
  const size = {
    batch: [batchSize, heads],
    rows: queries,
    columns: keyCount,
    width,
    scale: 1 / Math.sqrt(width),
    mask,
    dropping: droppingOf(options.dropout ?? 0, options.random ?? null),
  };
  /** (B, T, C) as B·H matrices (T, D): heads are strides, not copies. */
  const byHead = (buffer: Buffer, { shape }: Tensor): Matrices => ({
    buffer,
    offset: 0,
    rowStride: channels,
    columnStride: 1,
    batchStrides: [shape[1] * channels, width],
  });
  const q = byHead(query.buffer, query);
  const k = byHead(key.buffer, key);
  const v = byHead(value.buffer, value);
  const y = context.output(query.shape, [query, key, value]);
  const rows = batchSize * heads * queries;
  const statistics = { max: backend.alloc(rows), sum: backend.alloc(rows) };
  backend.attention(byHead(y.buffer, y), statistics, q, k, v, size);
  const backward = (dyBuffer: Buffer) => {
    const whole = keyCount === key.shape[1];
    const gradients = [
      { tensor: query, whole: true },
      { tensor: key, whole },
      { tensor: value, whole },
    ];
    withGradientTargets(backend, gradients, ([toQuery, toKey, toValue]) => {
      const dq = byHead(toQuery.buffer, query);
      const dk = byHead(toKey.buffer, key);
      const dv = byHead(toValue.buffer, value);
      const dy = byHead(dyBuffer, y);
      const accumulate = { dq: toQuery.accumulate, dk: toKey.accumulate, dv: toValue.accumulate };
      backend.attentionBackward(dq, dk, dv, dy, byHead(y.buffer, y), statistics, q, k, v, size, accumulate);
    });
  };
  context.recordOp("attention", y, backward, [statistics.max, statistics.sum]);
  return y;
}
