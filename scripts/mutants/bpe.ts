/** Mutants of byte-pair encoding and of losses in bits per byte. */
import type { Mutant } from "./list.ts";

export const bpe: readonly Mutant[] = [
  {
    promise: "of the pairs in a word, the one that was learned first is merged first",
    file: "src/text/bpe/bpe-tokenizer.ts",
    line: "merged !== undefined && merged < earliest",
    broken: "merged !== undefined && earliest === Number.POSITIVE_INFINITY",
    tests: ["test/text/bpe/golden.test.ts"],
  },
  {
    promise: "of equally frequent pairs, the one with the smaller first id is merged",
    file: "src/text/bpe/pair-queue.ts",
    line: "a.pair.first < b.pair.first",
    broken: "a.pair.first > b.pair.first",
    tests: ["test/text/bpe/train-bpe.test.ts"],
  },
  {
    promise: "of equally frequent pairs with the same first id, the one with the smaller second id is merged",
    file: "src/text/bpe/pair-queue.ts",
    line: "a.pair.second < b.pair.second",
    broken: "a.pair.second > b.pair.second",
    tests: ["test/text/bpe/train-bpe.test.ts"],
  },
  {
    promise: "a pair that other merges made rarer is not merged by its old count",
    file: "src/text/bpe/pair-queue.ts",
    line: "if (entry === null || entry.count === entry.pair.count) return",
    broken: "if (entry === null || entry.count > 0) return",
    tests: ["test/text/bpe/train-bpe.test.ts"],
  },
  {
    promise: "a merge lowers the counts of the pairs that it takes apart",
    file: "src/text/bpe/train-bpe.ts",
    line: "        this.#remove(second, tokens[from + 1], word);\n",
    broken: "",
    tests: ["test/text/bpe/train-bpe.test.ts"],
  },
  {
    promise: "no token of byte pairs is learned across the end of a document",
    file: "src/data/learn-bpe.ts",
    line: "      if (mark >= 0) words.end();\n",
    broken: "",
    tests: ["test/data/learn-bpe.test.ts"],
  },
  {
    promise: "no byte pair joins two documents of a text",
    file: "src/data/streaming-encoder.ts",
    line: "      append(ids, text.end());\n",
    broken: "",
    tests: ["test/data/learn-bpe.test.ts"],
  },
  {
    promise: "byte pairs are learned without the part of a text to validate with",
    file: "src/data/learn-bpe.ts",
    line: "for await (const chunk of training())",
    broken: "for await (const chunk of corpus.markedBytes())",
    tests: ["test/data/learn-bpe.test.ts"],
  },
  {
    promise: "bits per byte are bits",
    file: "src/evaluate/bits-per-byte.ts",
    line: "(lossNats * tokens) / Math.LN2 / bytes",
    broken: "(lossNats * tokens) / bytes",
    tests: ["test/evaluate/bits-per-byte.test.ts"],
  },
  {
    promise: "bits per byte are spread over the bytes of a token, not over its characters",
    file: "src/evaluate/bits-per-byte.ts",
    line: "bytesOf[id] = token.length;",
    broken: "bytesOf[id] = token.filter((byte) => (byte & 0xc0) !== 0x80).length;",
    tests: ["test/evaluate/bits-per-byte.test.ts"],
  },
  {
    promise: "the end of a document counts as one byte",
    file: "src/evaluate/bits-per-byte.ts",
    line: "Uint8Array.of(0) : tokenizer.tokenBytes(id)",
    broken: "new Uint8Array(0) : tokenizer.tokenBytes(id)",
    tests: ["test/evaluate/bits-per-byte.test.ts"],
  },
];
