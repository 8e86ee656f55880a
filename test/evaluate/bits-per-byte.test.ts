import { describe, expect, it } from "vitest";
import { bitsPerByte, predictedText } from "../../src/evaluate/bits-per-byte.ts";
import { trainBpe } from "../../src/text/bpe/train-bpe.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";

// The first character is a token, because it occurs once.
const TEXT = `Q${" naïve 日本 😀!".repeat(30)}`;
const tokenizers = [CharTokenizer.fromText(TEXT), new ByteTokenizer(), trainBpe(TEXT, { vocabSize: 270 })];

describe("predictedText", () => {
  it.each(tokenizers)("has the size of the text after the first token: $kind", (tokenizer) => {
    const ids = tokenizer.encode(TEXT);
    const text = tokenizer.decode(ids.subarray(1));
    const range = { start: 0, end: ids.length };
    const size = predictedText(tokenizer, 7, ids, range, Number.POSITIVE_INFINITY);
    expect(size).toEqual({
      tokens: ids.length - 1,
      bytes: Buffer.byteLength(text),
      characters: Array.from(text).length,
    });
    const some = predictedText(tokenizer, 7, ids, range, 14);
    expect(some.tokens).toBe(14);
    expect(some.bytes).toBeLessThan(size.bytes);
  });

  it("counts the end of a document as one byte", () => {
    const tokenizer = new ByteTokenizer({ endOfText: true });
    const ids = [97, 98, 256, 97, 256];
    expect(predictedText(tokenizer, 9, Int32Array.from(ids), { start: 0, end: 5 }, 9)).toEqual({
      tokens: 4,
      bytes: 4,
      characters: 4,
    });
  });
});

it("bitsPerByte spreads the loss of the tokens over the bytes", () => {
  expect(bitsPerByte({ lossNats: Math.LN2, tokens: 10 }, 20)).toBe(0.5);
});
