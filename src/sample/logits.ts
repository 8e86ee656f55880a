/** Computes the logits of a sequence: all positions in one pass, or one position at a time with a cache. */
import { SampleError } from "../errors.ts";
import type { GPT } from "../nn/gpt.ts";
import type { KVCache } from "../nn/inference/kv-cache.ts";
import { padTokens, type TokenBatch } from "../nn/inputs/token-batch.ts";
import { checkIds } from "../ops/embedding.ts";

/** A model that scores a token at each position: a GPT, or another with the same methods. */
export type ScoringModel = Pick<GPT, "context" | "config" | "forward" | "decode" | "makeCache">;

/** Logits (B, T, V) of a batch in one pass, row by row. */
export function batchLogits(model: ScoringModel, tokens: TokenBatch): Promise<Float32Array | Float64Array> {
  return model.context.noGrad(() => model.forward(tokens).read());
}

/**
 * Logits (B, T, V) of a batch whose tokens go through a cache part by part, row by row.
 *
 * @param rows   token ids, equally many in each row
 * @param chunks how many positions each part has; together, all positions
 */
export async function chunkedLogits(
  model: ScoringModel,
  rows: readonly ArrayLike<number>[],
  chunks: readonly number[],
): Promise<Float64Array> {
  const { vocabSize } = model.config;
  const positions = rows[0].length;
  const logits = new Float64Array(rows.length * positions * vocabSize);
  const cache = model.makeCache(rows.length);
  try {
    let start = 0;
    for (const chunk of chunks) {
      const ids = rows.flatMap((row) => Array.from({ length: chunk }, (_, t) => row[start + t]));
      const tokens = { ids, batchSize: rows.length };
      const part = await model.context.noGrad(() => model.decode(tokens, cache).read());
      rows.forEach((_, row) => {
        const ofRow = part.subarray(row * chunk * vocabSize, (row + 1) * chunk * vocabSize);
        logits.set(ofRow, (row * positions + start) * vocabSize);
      });
      start += chunk;
    }
  } finally {
    cache.free();
  }
  return logits;
}

/**
 * The logits of every position, computed in one pass.
 *
 * @param ids T token ids
 * @returns   (T, V), row by row; single-precision logits are represented exactly
 * @throws SampleError if there are no ids, or more than fit in the context
 * @throws TokenError if an id is outside the vocabulary
 */
export async function fullLogits(model: GPT, ids: ArrayLike<number>): Promise<Float64Array> {
  checkSequence(model, ids);
  return Float64Array.from(await batchLogits(model, { ids, batchSize: 1 }));
}

/** Like `fullLogits`, but one token at a time with a cache, as in generation. */
export async function cachedLogits(model: GPT, ids: ArrayLike<number>): Promise<Float64Array> {
  checkSequence(model, ids);
  return chunkedLogits(model, [ids], new Array<number>(ids.length).fill(1));
}

/**
 * Appends tokens to a cache in one pass. Only the last position goes through the head.
 *
 * @param ids at least one token id
 * @returns   (V) logits of the next token
 * @throws ShapeError if the cache has no room for them
 */
export function nextLogits(
  model: GPT,
  cache: KVCache,
  ids: ArrayLike<number>,
): Promise<Float32Array | Float64Array> {
  return model.context.noGrad(() => model.decode({ ids, batchSize: 1 }, cache, { lastOnly: true }).read());
}

/**
 * Like `nextLogits`, for several sequences in one pass. Each row of the cache may get a different number of tokens. The
 * result for each row is the same as for that row alone, bit for bit.
 *
 * @param rows at least one token id for each row of the cache
 * @returns    (V) logits for each row
 */
export async function nextLogitsOfRows(
  model: GPT,
  cache: KVCache,
  rows: readonly ArrayLike<number>[],
): Promise<(Float32Array | Float64Array)[]> {
  const { vocabSize } = model.config;
  const logits = await model.context.scope("no-grad", () => {
    // Left padding makes every row end at the last position.
    const tokens = padTokens(rows, "left");
    return model.decode(tokens, cache, { lastOnly: true }).read();
  });
  return rows.map((_, b) => logits.subarray(b * vocabSize, (b + 1) * vocabSize));
}

function checkSequence({ config }: GPT, ids: ArrayLike<number>): void {
  if (ids.length < 1 || ids.length > config.contextLength) {
    throw new SampleError(
      `logits: the model sees 1 to ${config.contextLength} tokens at a time: got ${ids.length}`,
    );
  }
  checkIds("logits", ids, 0, config.vocabSize);
}
