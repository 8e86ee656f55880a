/**
 * Pairs of neighboring tokens as rows of a table: what came just before is known without attention. One row for each
 * pair (before, token), and for each token that nothing comes before; where that would be more rows than the limit,
 * pairs share them by a hash.
 */
import { positionsOf, rowsOf, type TokenBatch } from "../inputs/token-batch.ts";

/** The most rows of a table. Vocabularies of up to 361 tokens have a row of its own for each pair. */
export const MAX_BIGRAM_ROWS = 2 ** 17;

/** How many rows the table has. */
export function countBigramRows(vocabSize: number): number {
  return Math.min((vocabSize + 1) * vocabSize, MAX_BIGRAM_ROWS);
}

/**
 * The row of each position's pair, row by row of the batch.
 *
 * @param lastIds the token before each row's first, where there is one: the newest in a cache
 */
export function bigramRows(
  tokens: TokenBatch,
  lastIds: readonly (number | undefined)[],
  vocabSize: number,
): Int32Array {
  const { ids } = tokens;
  const positions = positionsOf(tokens);
  const { starts } = rowsOf(tokens);
  return Int32Array.from({ length: ids.length }, (_, i) => {
    const [b, t] = [Math.floor(i / positions), i % positions];
    const before = t > starts[b] ? ids[i - 1] : lastIds[b];
    return bigramRow(before ?? vocabSize, ids[i], vocabSize);
  });
}

/** @param before the token before, or V where there is none */
export function bigramRow(before: number, id: number, vocabSize: number): number {
  if ((vocabSize + 1) * vocabSize <= MAX_BIGRAM_ROWS) return before * vocabSize + id;
  // Two odd multipliers, then the mixing steps of MurmurHash3: neighbors of either token land far apart.
  let hash = Math.imul(before, 0x9e3779b1) ^ Math.imul(id, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % MAX_BIGRAM_ROWS;
}
