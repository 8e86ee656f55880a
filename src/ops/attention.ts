import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { AttentionMask, Buffer, Matrices } from "../backend/backend.ts";
import type { Random } from "../random.ts";
import { droppingOf } from "./dropout.ts";
import { checkAttention } from "./internal/attention-checks.ts";
import { withGradientTargets } from "./internal/gradient-targets.ts";
import { scale } from "./scale.ts";

export interface AttentionOptions {
  /** How many heads share the channels. */
  readonly heads: number;
  /** "causal", "full", or a key range for each sequence: for padding, and for keys in a cache. */
  readonly mask: AttentionMask;
  /** Use the first `keyCount` keys and values only, so that a cache is read in place. All if left out. */
  readonly keyCount?: number;
  /** Probability of dropping a weight. */
  readonly dropout?: number;
  /** See `dropout`. */
  readonly random?: Random | null;
}

/**
 * Scaled dot-product attention of all heads in one kernel: softmax(QKᵀ/√D + M)·V.
 *
 * The same numbers as nn/layers/textbook-attention.ts, but hidden pairs are never computed and the
 * weights (T, S) never stored: backward computes them again from one number kept for each query. A query that sees
 * no key gives 0, and so do the gradients: its own, and that of a key which nobody sees.
 *
 * @param query (B, T, C)
 * @param keys  (B, S, C)
 * @param values (B, S, C)
 * @returns     (B, T, C); channels h·D … (h+1)·D−1 come from head h, D = C / heads
 * @throws ShapeError when the shapes, the heads or the windows do not fit, or causal and T > keyCount
 * Source: Vaswani et al. 2017, §3.2; the recomputation: Dao et al. 2022.
 */
export function attention(query: Tensor, keys: Tensor, values: Tensor, options: AttentionOptions): Tensor {
  const context = contextOf("attention", query, keys, values);
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
  const logSumExp = backend.alloc(batchSize * heads * queries);
  backend.attention(byHead(y.buffer, y), logSumExp, q, k, v, size);
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
      backend.attentionBackward(dq, dk, dv, dy, byHead(y.buffer, y), logSumExp, q, k, v, size, accumulate);
    });
  };
  context.recordOp("attention", y, backward, [logSumExp]);
  return y;
}
