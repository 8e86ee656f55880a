/** Byte-pair encoding beside Hugging Face's tokenizers; scripts/interop/bpe_golden.py wrote what they make. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { TALES_PATH } from "../../../src/data/corpus.ts";
import { BpeTokenizer } from "../../../src/text/bpe/bpe-tokenizer.ts";
import type { Merge } from "../../../src/text/bpe/merges.ts";
import { learnMerges } from "../../../src/text/bpe/train-bpe.ts";
import { WordCounts } from "../../../src/text/bpe/word-counts.ts";

interface Golden {
  /** Of the tales, and what follows. */
  readonly length: number;
  readonly more: string;
  readonly merges: readonly Merge[];
  readonly cases: readonly { readonly text: string; readonly ids: readonly number[] }[];
}

const file = new URL("../../golden/bpe.json", import.meta.url);
const golden: Golden = JSON.parse(readFileSync(file, "utf8"));

it("learns the merges of Hugging Face's trainer", () => {
  const words = new WordCounts();
  words.push(readFileSync(TALES_PATH, "utf8").slice(0, golden.length) + golden.more);
  words.end();
  expect(golden.merges.length).toBeGreaterThan(300);
  expect(learnMerges(words.counts(), golden.merges.length)).toEqual(golden.merges);
});

it("has the ids of Hugging Face's GPT-2 tokenizer with these merges", () => {
  const tokenizer = new BpeTokenizer(golden.merges);
  expect(golden.cases.length).toBeGreaterThan(5);
  for (const { text, ids } of golden.cases) expect([...tokenizer.encode(text)], text).toEqual(ids);
});
