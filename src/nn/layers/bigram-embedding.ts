/**
 * Bigram embedding: a table with one row for each pair (previous token, token), and one for each token at the start of
 * a sequence, so that the previous token is known without attention. If that would be more rows than the limit, pairs
 * share rows by a hash.
 */
import { positionsOf, rowsOf, type TokenBatch } from "../inputs/token-batch.ts";

/** The most rows of a table. Vocabularies of up to 361 tokens have a row for each pair. */
export const MAX_BIGRAM_ROWS = 2 ** 17;

/** How many rows the table has. */
export function countBigramRows(vocabSize: number): number {
  return Math.min((vocabSize + 1) * vocabSize, MAX_BIGRAM_ROWS);
}

/**
 * The table's row for each token, in the order of the batch.
 *
 * @param lastIds the token before each row's first, undefined for none: the newest in a cache
 */
export function bigramRows(
  tokens: TokenBatch,
  lastIds: readonly (number | undefined)[],
  vocabSize: number,
): Int32Array {
  const { ids } = tokens;
  const width = positionsOf(tokens);
  const { starts } = rowsOf(tokens);
  return Int32Array.from({ length: ids.length }, (_, i) => {
    const [b, t] = [Math.floor(i / width), i % width];
    const previous = t > starts[b] ? ids[i - 1] : lastIds[b];
    return bigramRow(previous ?? vocabSize, ids[i], vocabSize);
  });
}

/** @param previous the token before, or V if there is none */
export function bigramRow(previous: number, id: number, vocabSize: number): number {
  if ((vocabSize + 1) * vocabSize <= MAX_BIGRAM_ROWS) return previous * vocabSize + id;
  // Two odd multipliers, then MurmurHash3's mixing steps, so that similar pairs land far apart.
  let hash = Math.imul(previous, 0x9e3779b1) ^ Math.imul(id, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % MAX_BIGRAM_ROWS;
}
