import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenError } from "../../../src/errors.ts";
import { BpeTokenizer } from "../../../src/text/bpe/bpe-tokenizer.ts";
import { LARGEST_VOCABULARY, type Merge } from "../../../src/text/bpe/merges.ts";
import { splitWords } from "../../../src/text/bpe/split-words.ts";
import { learnMerges } from "../../../src/text/bpe/train-bpe.ts";
import { showToken } from "../../../src/text/show-token.ts";
import { END_OF_TEXT } from "../../../src/text/tokenizer.ts";
import { tokenizerFromJSON } from "../../../src/text/tokenizer-from-json.ts";
import { anyText } from "../../support/any-text.ts";

const SAMPLE = "the théâtre, the theatre, then 日本 and 日本語: 😀😀 — the end\n".repeat(3);
const merges = learnMerges(
  splitWords(SAMPLE).map((word) => [word, 1]),
  80,
);
const tokenizer = new BpeTokenizer(merges);
const withEnd = new BpeTokenizer(merges, { endOfText: true });

/** Texts in which many merges apply, and any others. */
const anyMix = fc
  .array(fc.oneof(fc.constantFrom("the", "theatre", " ", "théâtre", "日本語", "😀", "\n"), anyText), {
    maxLength: 12,
  })
  .map((pieces) => pieces.join(""));

/** The definition of encoding: each merge in turn, everywhere. */
function slowIds(text: string): number[] {
  return splitWords(text).flatMap((word) => {
    let ids = Array.from(new TextEncoder().encode(word));
    merges.forEach(([first, second], rank) => {
      const merged: number[] = [];
      for (let i = 0; i < ids.length; i++) {
        const isPair = ids[i] === first && ids[i + 1] === second;
        merged.push(isPair ? 256 + rank : ids[i]);
        if (isPair) i += 1;
      }
      ids = merged;
    });
    return ids;
  });
}

describe("BpeTokenizer", () => {
  it("encodes its example", () => {
    const small = new BpeTokenizer([
      [119, 101],
      [108, 111],
    ]);
    expect(small.encode("lower")).toEqual(Int32Array.of(257, 256, 114));
    expect(small.vocabSize).toBe(258);
  });

  it("has ids for the bytes, then the merges, then the end of a document", () => {
    expect(merges).toHaveLength(36);
    expect([tokenizer.vocabSize, tokenizer.endOfText]).toEqual([292, null]);
    expect([withEnd.vocabSize, withEnd.endOfText]).toEqual([293, 292]);
    for (let byte = 0; byte < 256; byte++) expect(tokenizer.tokenBytes(byte)).toEqual(Uint8Array.of(byte));
    merges.forEach(([first, second], i) => {
      const joined = [...tokenizer.tokenBytes(first), ...tokenizer.tokenBytes(second)];
      expect([...tokenizer.tokenBytes(256 + i)]).toEqual(joined);
    });
    expect(withEnd.tokenBytes(292)).toHaveLength(0);
  });

  it("applies the merges in their order", () => {
    fc.assert(
      fc.property(anyMix, (text) => {
        expect([...tokenizer.encode(text)]).toEqual(slowIds(text));
      }),
    );
  });

  it("encodes again what it has kept", () => {
    const text = `${SAMPLE}${"x".repeat(100)}`;
    expect(tokenizer.encode(text)).toEqual(tokenizer.encode(text));
    expect([...tokenizer.encode(text)]).toEqual(slowIds(text));
  });

  it("round-trips any text, at once and streamed", () => {
    fc.assert(
      fc.property(anyMix, (text) => {
        const ids = tokenizer.encode(text);
        const decoder = tokenizer.decoder();
        const pieces = Array.from(ids, (id) => decoder.push(id));
        expect(tokenizer.decode(ids)).toBe(text);
        expect(pieces.join("")).toBe(text);
        expect(pieces.every((piece) => !piece.includes("\uFFFD"))).toBe(!text.includes("\uFFFD"));
        expect(decoder.end()).toBe("");
      }),
    );
  });

  it("encodes a text in pieces to the ids of the whole", () => {
    fc.assert(
      fc.property(anyMix, fc.integer({ min: 1, max: 5 }), (text, size) => {
        const encoder = tokenizer.encoder();
        const characters = Array.from(text);
        const ids: number[] = [];
        for (let at = 0; at < characters.length; at += size)
          ids.push(...Array.from(encoder.push(characters.slice(at, at + size).join(""))));
        ids.push(...Array.from(encoder.end()));
        expect(ids).toEqual([...tokenizer.encode(text)]);
      }),
    );
  });

  it("replaces half of a UTF-16 pair by U+FFFD", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0xd800, max: 0xdfff }), (text, half) => {
        const broken = text + String.fromCharCode(half) + text;
        expect(tokenizer.decode(tokenizer.encode(broken))).toBe(Buffer.from(broken).toString());
      }),
    );
  });

  it("decodes any ids, streamed or not, to the text of their bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: withEnd.vocabSize - 1 })), (ids) => {
        const decoder = withEnd.decoder();
        const streamed = ids.map((id) => decoder.push(id)).join("") + decoder.end();
        const documents: number[][] = [[]];
        for (const id of ids)
          if (id === withEnd.endOfText) documents.push([]);
          else documents.at(-1)?.push(...withEnd.tokenBytes(id));
        const expected = documents.map((bytes) => Buffer.from(bytes).toString("utf8")).join(END_OF_TEXT);
        expect(withEnd.decode(ids)).toBe(expected);
        expect(streamed).toBe(expected);
      }),
    );
  });

  it("rejects ids outside the vocabulary", () => {
    for (const id of [-1, 292, 0.5, Number.NaN]) {
      expect(() => tokenizer.decode([97, id])).toThrow(`0 … 291: got ${id}`);
      expect(() => tokenizer.decoder().push(id)).toThrow(TokenError);
    }
  });

  it("shows tokens that are no text as bytes", () => {
    const [first] = tokenizer.encode("日");
    expect(showToken(new BpeTokenizer([]), first)).toBe("0xe6");
    expect(showToken(new BpeTokenizer([[0xe6, 0x97]]), 256)).toBe("0xe6 0x97");
    expect(showToken(new BpeTokenizer([[0x20, 0x0a]]), 256)).toBe('" \\n"');
    expect(showToken(withEnd, 292)).toBe(END_OF_TEXT);
  });
});

describe("a BPE tokenizer in JSON", () => {
  it("is restored", () => {
    for (const each of [tokenizer, withEnd, new BpeTokenizer([])]) {
      const again = tokenizerFromJSON(JSON.parse(JSON.stringify(each)));
      expect(again).toBeInstanceOf(BpeTokenizer);
      expect([again.vocabSize, again.endOfText]).toEqual([each.vocabSize, each.endOfText]);
      expect(again.encode(SAMPLE)).toEqual(each.encode(SAMPLE));
      expect(again.toJSON()).toEqual(each.toJSON());
    }
  });

  const doubling = (count: number) => [
    "97 97",
    ...Array.from({ length: count - 1 }, (_, i) => `${256 + i} ${256 + i}`),
  ];

  it.each([
    [["97"], 'two ids, like "104 101"'],
    [["97 98 99"], 'two ids, like "104 101"'],
    [["97 -1"], 'two ids, like "104 101"'],
    [["97  98"], 'two ids, like "104 101"'],
    [["97 1e2"], 'two ids, like "104 101"'],
    [["97 256"], "0 … 255, which exist before it"],
    [["256 256"], "0 … 255, which exist before it"],
    [["97 98", "256 258"], "0 … 256, which exist before it"],
    [["97 98", "97 98"], "form the bytes of an earlier token"],
    [["97 98", "98 99", "256 99", "97 257"], "form the bytes of an earlier token"],
    [doubling(9), "merges[8]: makes a token of 512 bytes"],
    [doubling(60), "merges[8]: makes a token of 512 bytes"],
    [new Array(1_000_000).fill("97 98"), "at most 65279 fit: got 1000000"],
    [[97, 98], "expected"],
    ["97 98", "expected"],
    [undefined, "expected"],
  ])("rejects the merges %.40s", (wrong, message) => {
    const read = () => tokenizerFromJSON({ kind: "bpe", merges: wrong });
    expect(read).toThrow(TokenError);
    expect(read).toThrow(message);
  });

  it("reads the largest vocabulary", () => {
    const all: Merge[] = [];
    for (let a = 0; a < 256; a++) for (let b = 0; b < 256; b++) all.push([a, b]);
    const largest = new BpeTokenizer(all.slice(0, LARGEST_VOCABULARY - 257), { endOfText: true });
    expect(largest.vocabSize).toBe(LARGEST_VOCABULARY);
    expect(tokenizerFromJSON(JSON.parse(JSON.stringify(largest))).vocabSize).toBe(LARGEST_VOCABULARY);
  });
});
