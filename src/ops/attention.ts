import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { AttentionMask, Buffer, KeyRange, Matrices, WriteTarget } from "../backend/backend.ts";
import { ShapeError } from "../errors.ts";
import type { Random } from "../random.ts";
import { formatShape } from "../shape.ts";
import { droppingOf } from "./dropout.ts";
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
  // The kernel writes three gradients at once; operands that share memory get gradients of their own first.
  const key = keys.storage === query.storage ? scale(keys, 1) : keys;
  const value =
    values.storage === query.storage || values.storage === keys.storage ? scale(values, 1) : values;
  const { backend } = context;
  const { heads, mask } = options;
  checkShapes(query, key, value, options);
  const [batchSize, queries, channels] = query.shape;
  const keyCount = options.keyCount ?? key.shape[1];
  const width = channels / heads;
  const dropping = droppingOf(options.dropout ?? 0, options.random ?? null);
  const size = {
    batch: [batchSize, heads],
    rows: queries,
    columns: keyCount,
    width,
    scale: 1 / Math.sqrt(width),
    mask,
    dropping,
  };
  /** Heads are strides, not copies. */
  const byHead = (buffer: Buffer, tensor: Tensor): Matrices => ({
    buffer,
    offset: 0,
    rowStride: channels,
    columnStride: 1,
    batchStrides: [tensor.shape[1] * channels, width],
  });
  const q = byHead(query.buffer, query);
  const k = byHead(key.buffer, key);
  const v = byHead(value.buffer, value);
  const y = context.output(query.shape, [query, key, value]);
  const logSumExp = backend.alloc(batchSize * heads * queries);
  backend.attention(byHead(y.buffer, y), logSumExp, q, k, v, size);
  const backward = (dy: Buffer) => {
    const spare: Buffer[] = [];
    /** For a kernel that writes `rows` positions of each sequence, whether or not anyone needs the gradient. */
    const sinkOf = (tensor: Tensor, rows: number): WriteTarget => {
      if (!tensor.needsGradient) {
        const buffer = backend.alloc(tensor.size);
        spare.push(buffer);
        return { buffer, accumulate: false };
      }
      const whole = rows === tensor.shape[1];
      return whole ? tensor.gradientTarget() : { buffer: tensor.zeroedGradient(), accumulate: true };
    };
    const [dq, dk, dv] = [sinkOf(query, queries), sinkOf(key, keyCount), sinkOf(value, keyCount)];
    backend.attentionBackward(
      byHead(dq.buffer, query),
      byHead(dk.buffer, key),
      byHead(dv.buffer, value),
      byHead(dy, y),
      byHead(y.buffer, y),
      logSumExp,
      q,
      k,
      v,
      size,
      { dq: dq.accumulate, dk: dk.accumulate, dv: dv.accumulate },
    );
    for (const buffer of spare) backend.free(buffer);
  };
  context.recordOp("attention", y, backward, [logSumExp]);
  return y;
}

function checkShapes(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions): void {
  const { heads, mask } = options;
  const [batchSize, queries, channels] = query.shape;
  const keys = options.keyCount ?? key.shape[1];
  const fits = ({ shape }: Tensor) => shape.length === 3 && shape[0] === batchSize && shape[2] === channels;
  if (!fits(query) || !fits(key) || !fits(value) || key.shape[1] !== value.shape[1]) {
    const found = [query, key, value].map(({ shape }) => formatShape(shape)).join(", ");
    throw new ShapeError(`attention: needs query (B, T, C), key (B, S, C) and value (B, S, C): got ${found}`);
  }
  if (!Number.isInteger(heads) || heads < 1 || channels % heads !== 0) {
    throw new ShapeError(`attention: ${channels} channels do not divide into ${heads} heads`);
  }
  if (!Number.isInteger(keys) || keys < 0 || keys > key.shape[1]) {
    throw new ShapeError(`attention: keyCount must be in 0 … ${key.shape[1]}: got ${keys}`);
  }
  if (mask === "causal" && queries > keys) {
    throw new ShapeError(`attention: causal needs keys ≥ queries: got ${queries} queries over ${keys} keys`);
  }
  if (typeof mask !== "string") checkRanges(mask, batchSize, keys);
}

function checkRanges(ranges: readonly KeyRange[], batchSize: number, keys: number): void {
  if (ranges.length !== batchSize) {
    throw new ShapeError(
      `attention: needs a key range for each of the ${batchSize} sequences of the batch: got ${ranges.length}`,
    );
  }
  ranges.forEach(({ start, end, diagonal }, sequence) => {
    for (const [name, key] of Object.entries({ start, end })) {
      if (Number.isInteger(key) && key >= 0 && key <= keys) continue;
      throw new ShapeError(
        `attention: ${name} of key range ${sequence} must be a whole number in 0 … ${keys}, the number of keys: got ${key}`,
      );
    }
    if (!Number.isInteger(diagonal) || Math.abs(diagonal) > 2 ** 24) {
      throw new ShapeError(
        `attention: diagonal of key range ${sequence} must be a whole number in −2²⁴ … 2²⁴: got ${diagonal}`,
      );
    }
  });
}
