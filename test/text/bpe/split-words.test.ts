import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detached, LONGEST_WORD, splitWords, WordSplitter } from "../../../src/text/bpe/split-words.ts";
import { anyText } from "../../support/any-text.ts";

/** As OpenAI published it in gpt-2/src/encoder.py. */
const GPT2 = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Texts in which the parts of words meet. */
const anyPieces = fc
  .array(
    fc.constantFrom(
      " ",
      "\n",
      "\t",
      "\u3000",
      "'",
      "s",
      "re",
      "l",
      "l",
      "ve",
      "É",
      "日",
      "7",
      "½",
      ".",
      "😀",
    ),
    {
      maxLength: 40,
    },
  )
  .map((pieces) => pieces.join(""));

function streamed(text: string, size: number): string[] {
  const splitter = new WordSplitter();
  const words: string[] = [];
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at += size)
    splitter.push(characters.slice(at, at + size).join(""), (word) => words.push(word));
  splitter.end((word) => words.push(word));
  return words;
}

describe("splitWords", () => {
  it("splits as written in its comment", () => {
    expect(splitWords("It's  2 a.m.")).toEqual(["It", "'s", " ", " 2", " a", ".", "m", "."]);
  });

  it("splits as GPT-2 does", () => {
    fc.assert(
      fc.property(anyPieces, (text) => {
        expect(splitWords(text)).toEqual(text.match(GPT2) ?? []);
      }),
    );
  });

  it("loses nothing of any string", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(splitWords(text).join("")).toBe(text);
      }),
    );
    expect(splitWords("a\uD83D b").join("")).toBe("a\uD83D b");
  });

  it("ends a word at its greatest length", () => {
    const lengths = (text: string) => splitWords(text).map((word) => Array.from(word).length);
    expect(lengths("x".repeat(2 * LONGEST_WORD + 5))).toEqual([LONGEST_WORD, LONGEST_WORD, 5]);
    expect(lengths(`${" ".repeat(LONGEST_WORD + 2)}x`)).toEqual([LONGEST_WORD, 1, 2]);
    expect(lengths("😀".repeat(LONGEST_WORD + 1))).toEqual([LONGEST_WORD, 1]);
  });
});

describe("WordSplitter", () => {
  it("finds the same words wherever the pieces end", () => {
    fc.assert(
      fc.property(anyPieces, fc.integer({ min: 1, max: 5 }), (text, size) => {
        expect(streamed(text, size)).toEqual(splitWords(text));
      }),
    );
  });

  it("holds a bounded part of a text without spaces", () => {
    const splitter = new WordSplitter();
    let found = 0;
    for (let i = 0; i < 100; i++) splitter.push("acgt".repeat(100), (word) => (found += word.length));
    expect(40_000 - found).toBeLessThanOrEqual(LONGEST_WORD + 1);
  });
});

it("detaches words without changing them", () => {
  for (const word of ["", "twelve chars", "more than twelve", "é日😀 é日😀 é日😀"])
    expect(detached(word)).toBe(word);
});
