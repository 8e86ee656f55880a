import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BpeTokenizer } from "../../../src/text/bpe/bpe-tokenizer.ts";
import { LONGEST_TOKEN, type Merge } from "../../../src/text/bpe/merges.ts";
import { splitWords } from "../../../src/text/bpe/split-words.ts";
import { learnMerges, trainBpe } from "../../../src/text/bpe/train-bpe.ts";
import { WordCounts } from "../../../src/text/bpe/word-counts.ts";
import { anyText } from "../../support/any-text.ts";

function wordsOf(text: string, size = 7): [string, number][] {
  const counts = new WordCounts();
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at += size) counts.push(characters.slice(at, at + size).join(""));
  counts.end();
  return counts.counts();
}

/** Counts all pairs of the whole text again before each merge. */
function slowMerges(text: string, most: number): Merge[] {
  let words = splitWords(text).map((word) => Array.from(new TextEncoder().encode(word)));
  const merges: Merge[] = [];
  while (merges.length < most) {
    const counts = new Map<string, number>();
    for (const word of words)
      for (let i = 1; i < word.length; i++) {
        const pair = `${word[i - 1]} ${word[i]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    const ranked = [...counts].map(([pair, count]) => [count, ...pair.split(" ").map(Number)]);
    const [best] = ranked.sort((a, b) => b[0] - a[0] || a[1] - b[1] || a[2] - b[2]);
    if (best === undefined || best[0] < 2) break;
    const id = 256 + merges.push([best[1], best[2]]) - 1;
    words = words.map((word) => {
      const merged: number[] = [];
      for (let i = 0; i < word.length; i++) {
        const isPair = word[i] === best[1] && word[i + 1] === best[2];
        merged.push(isPair ? id : word[i]);
        if (isPair) i += 1;
      }
      return merged;
    });
  }
  return merges;
}

/** Few letters, so that many pairs repeat, overlap, and are equally frequent. */
const fewLetters = fc
  .array(fc.constantFrom("a", "a", "b", "ab", "aaa", " ", "é", "."), { maxLength: 120 })
  .map((letters) => letters.join(""));

describe("learnMerges", () => {
  it("learns the merges of its example", () => {
    const words = [
      ["low", 5],
      ["lower", 2],
      ["newest", 6],
    ] as const;
    const tokenizer = new BpeTokenizer(learnMerges(words, 2));
    expect([tokenizer.decode([256]), tokenizer.decode([257])]).toEqual(["we", "lo"]);
  });

  it("learns the merges that counting everything again finds", () => {
    fc.assert(
      fc.property(fc.oneof(fewLetters, anyText), fc.integer({ min: 0, max: 30 }), (text, most) => {
        expect(learnMerges(wordsOf(text), most)).toEqual(slowMerges(text, most));
      }),
    );
  });

  it("prefers smaller ids among equally frequent pairs", () => {
    expect(
      learnMerges(
        [
          ["dc", 3],
          ["ba", 3],
          ["bc", 3],
        ],
        9,
      ),
    ).toEqual([
      [98, 97],
      [98, 99],
      [100, 99],
    ]);
  });

  it("stops when no pair occurs twice", () => {
    expect(
      learnMerges(
        [
          ["abab", 1],
          ["xyz", 1],
        ],
        9,
      ),
    ).toEqual([[97, 98]]);
    expect(learnMerges([], 9)).toEqual([]);
  });

  it("makes no token that is too long", () => {
    const tokenizer = new BpeTokenizer(learnMerges([["x".repeat(1000), 5]], 60));
    const longest = Math.max(...tokenizer.merges.map((_, i) => tokenizer.tokenBytes(256 + i).length));
    expect(longest).toBe(LONGEST_TOKEN);
  });

  it("makes every token from other bytes than the others", () => {
    fc.assert(
      fc.property(fewLetters, (text) => {
        // The constructor refuses equal tokens.
        expect(() => new BpeTokenizer(learnMerges(wordsOf(text), 100))).not.toThrow();
      }),
    );
  });
});

describe("trainBpe", () => {
  it("learns from a text or its pieces, and has the size that is asked for", () => {
    const text = "low low low low lower lower newest newest newest newest widest";
    expect(trainBpe(text, { vocabSize: 260 }).merges).toEqual(slowMerges(text, 4));
    expect(trainBpe([text.slice(0, 10), text.slice(10)], { vocabSize: 260 }).toJSON()).toEqual(
      trainBpe(text, { vocabSize: 260 }).toJSON(),
    );
    const withEnd = trainBpe(text, { vocabSize: 260, endOfText: true });
    expect([withEnd.vocabSize, withEnd.merges.length, withEnd.endOfText]).toEqual([260, 3, 259]);
    expect(trainBpe("abab", { vocabSize: 300 }).vocabSize).toBe(257);
  });

  it("rejects a size without a merge, or with ids that are too large", () => {
    for (const vocabSize of [0, 256, 300.5, 65_537, Number.NaN])
      expect(() => trainBpe("text", { vocabSize })).toThrow(
        `from 257 to 65536, because 256 ids are the bytes: got ${vocabSize}`,
      );
  });
});

describe("WordCounts", () => {
  it("counts the words of a text, wherever its pieces end", () => {
    fc.assert(
      fc.property(fewLetters, fc.integer({ min: 1, max: 9 }), (text, size) => {
        const naive = new Map<string, number>();
        for (const word of splitWords(text)) naive.set(word, (naive.get(word) ?? 0) + 1);
        expect(wordsOf(text, size)).toEqual([...naive]);
      }),
    );
  });

  it("ends words at the end of a document", () => {
    const counts = new WordCounts();
    for (const document of ["Emm", "a"]) {
      counts.push(document);
      counts.end();
    }
    expect(counts.counts()).toEqual([
      ["Emm", 1],
      ["a", 1],
    ]);
  });

  it("forgets the rarest words of a text with too many, the later ones first", () => {
    const counts = new WordCounts(16);
    // The word that is too much is the ninth: 8 units are kept of 17.
    for (const word of ["aa", "bb", "bb", "cc", "dd", "ee", "ff", "gg", "hh", "iii"]) {
      counts.push(word);
      counts.end();
    }
    counts.push("aa");
    counts.end();
    expect(counts.counts()).toEqual([
      ["bb", 2],
      ["aa", 2],
      ["cc", 1],
      ["dd", 1],
    ]);
  });
});
