/** Where tokens stand in their sequences, which attention alone would not know. */
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { embedding } from "../ops/embedding.ts";
import { slice } from "../ops/slice.ts";
import type { KeyValueCache } from "./key-value-cache.ts";
import { checkTokens, positionsOf, rowsOf, type Tokens } from "./tokens.ts";

/**
 * Embeddings of the places: (T, C) where they are the same in every row, else (B, T, C). A row's places count from
 * its first own token, those in the cache included.
 *
 * @param table (contextLength, C)
 */
export function placesOf(table: Tensor, tokens: Tokens, cache: KeyValueCache | null): Tensor {
  const { batchSize, padding } = tokens;
  const positions = positionsOf(tokens);
  const before = cache?.lengths ?? new Array<number>(batchSize).fill(0);
  if (padding === undefined && before.every((length) => length === before[0])) {
    const start = before[0] ?? 0;
    return slice(table, 0, start, start + positions);
  }
  const { starts, ends } = rowsOf(tokens);
  const places = Int32Array.from({ length: batchSize * positions }, (_, i) => {
    const [b, t] = [Math.floor(i / positions), i % positions];
    // Padding has no place; it gets the first one, and nobody sees it there.
    return t < starts[b] || t >= ends[b] ? 0 : before[b] + t - starts[b];
  });
  return embedding(table, places, [batchSize, positions]);
}

/** @throws ShapeError when a sequence is longer than the context, or the padding does not fit the rows */
export function checkPlaces(
  model: string,
  tokens: Tokens,
  cache: KeyValueCache | null,
  contextLength: number,
): void {
  const { ids, batchSize } = tokens;
  const { starts, ends } = rowsOf(tokens);
  const longest = ends.reduce(
    (most, end, b) => Math.max(most, (cache?.lengths[b] ?? 0) + end - starts[b]),
    0,
  );
  if (!Number.isInteger(positionsOf(tokens)) || longest > contextLength) {
    throw new ShapeError(
      `${model}: sequences may be ${contextLength} tokens long: got ${ids.length} ids in ${batchSize} rows after ${cache?.length ?? 0} cached`,
    );
  }
  checkTokens(tokens);
}
