import { expect, test } from "vitest";
import {
  bigramRow,
  bigramRows,
  countBigramRows,
  MAX_BIGRAM_ROWS,
} from "../../../src/nn/layers/bigram-embedding.ts";

test("each pair of a small vocabulary has a separate row", () => {
  for (const vocabSize of [1, 3, 361]) {
    const rows = new Set<number>();
    for (let before = 0; before <= vocabSize; before++) {
      for (let id = 0; id < vocabSize; id++) rows.add(bigramRow(before, id, vocabSize));
    }
    expect(rows.size).toBe((vocabSize + 1) * vocabSize);
    expect(countBigramRows(vocabSize)).toBe(rows.size);
    expect([...rows].every((row) => row >= 0 && row < rows.size)).toBe(true);
  }
});

test("pairs of a large vocabulary share 131,072 rows as evenly as at random", () => {
  const vocabSize = 10_000;
  expect(countBigramRows(362)).toBe(131_072);
  expect(countBigramRows(vocabSize)).toBe(MAX_BIGRAM_ROWS);
  const counts = new Uint32Array(MAX_BIGRAM_ROWS);
  // The most common tokens have the lowest ids, so these pairs matter most.
  const side = 500;
  for (let before = 0; before < side; before++) {
    for (let id = 0; id < side; id++) counts[bigramRow(before, id, vocabSize)]++;
  }
  const mean = side ** 2 / MAX_BIGRAM_ROWS;
  const chiSquared = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  // MAX_BIGRAM_ROWS − 1 degrees of freedom: within six standard deviations, √(2·MAX_BIGRAM_ROWS) each.
  expect(Math.abs(chiSquared - MAX_BIGRAM_ROWS)).toBeLessThan(6 * Math.sqrt(2 * MAX_BIGRAM_ROWS));
  // Order matters, and so does the start of a sequence.
  expect(bigramRow(1, 2, vocabSize)).not.toBe(bigramRow(2, 1, vocabSize));
  expect(bigramRow(vocabSize, 2, vocabSize)).not.toBe(bigramRow(0, 2, vocabSize));
});

test("the previous token comes from the row, from the cache, or is missing", () => {
  const tokens = { ids: [4, 1, 2, 0, 3, 9], batchSize: 2, padding: { starts: [0, 1], ends: [3, 3] } };
  const pair = (before: number, id: number) => before * 10 + id;
  expect(Array.from(bigramRows(tokens, [7, undefined], 10))).toEqual(
    [pair(7, 4), pair(4, 1), pair(1, 2)].concat(
      // The pair at padding is meaningless; the first token after padding has no previous one.
      [pair(10, 0), pair(10, 3), pair(3, 9)],
    ),
  );
});
