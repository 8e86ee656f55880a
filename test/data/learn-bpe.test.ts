/** Byte pairs of a corpus: what they are learned from, and where they end. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { type ReadOptions, readTexts } from "../../src/data/corpus.ts";
import { learnBpe } from "../../src/data/learn-bpe.ts";
import type { CachePlace } from "../../src/data/token-cache.ts";
import { readIds } from "../../src/data/token-source.ts";
import { tokenize } from "../../src/data/tokenized-corpus.ts";
import { BpeTokenizer } from "../../src/text/bpe/bpe-tokenizer.ts";
import { trainBpe } from "../../src/text/bpe/train-bpe.ts";

const folder = mkdtempSync(join(tmpdir(), "nopeek-bpe-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "text.txt");
const place: CachePlace = {
  inMemoryBytes: 1e9,
  folder,
  processes: { self: { pid: 1, started: null, machine: "here", boot: null }, isAlive: () => null },
};

function corpusOf(text: string, options: ReadOptions = {}) {
  writeFileSync(path, text);
  return readTexts([path], place, options);
}

it("learns from the part of a text to train on only", async () => {
  // The last tenth has pairs that are more frequent than all others.
  const [training, validation] = ["low lower newest. ".repeat(50), "zq".repeat(50)];
  const learned = await learnBpe(await corpusOf(training + validation), { vocabSize: 270 });
  expect(learned.toJSON()).toEqual(trainBpe(training, { vocabSize: 270 }).toJSON());
});

it("learns the same whatever the chunks are that a text is read in", async () => {
  const text = "low lower 日本語 newest 😀😀 naïve. ".repeat(30);
  const [small, large] = await Promise.all(
    [7, 1 << 20].map(async (chunkBytes) =>
      learnBpe(await corpusOf(text, { chunkBytes }), { vocabSize: 300 }),
    ),
  );
  expect(small.toJSON()).toEqual(large.toJSON());
  expect(small.merges.length).toBeGreaterThan(20);
});

it("makes no pair across the end of a document, in learning and in the ids of a text", async () => {
  const corpus = await corpusOf("ab\nab\nb\nab\nab\nb\nab\nab\nb\nab\n", { documents: "lines" });
  const learned = await learnBpe(corpus, { vocabSize: 300, endOfText: true });
  expect(learned.merges).toEqual([[97, 98]]);
  // A tokenizer that would join them if it could: "b" and "a" of two lines, and a whole line.
  const tokenizer = new BpeTokenizer(
    [
      [98, 97],
      [97, 98],
    ],
    { endOfText: true },
  );
  const progress = { note: () => {}, status: () => {} };
  const { ids } = await tokenize(corpus, tokenizer, "reject", place, progress);
  expect(Array.from(readIds(ids, 0, 5))).toEqual([257, 258, 257, 258, 98]);
});
