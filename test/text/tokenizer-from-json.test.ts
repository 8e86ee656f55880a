import { describe, expect, it } from "vitest";
import { TokenError } from "../../src/errors.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { tokenizerFromJSON } from "../../src/text/tokenizer-from-json.ts";

describe("tokenizerFromJSON", () => {
  it("restores a tokenizer from JSON.stringify's output", () => {
    const text = 'a\n\u0000"\u2028\u{1F600}';
    for (const tokenizer of [CharTokenizer.fromText(text), new ByteTokenizer()]) {
      const again = tokenizerFromJSON(JSON.parse(JSON.stringify(tokenizer)));
      expect(again.kind).toBe(tokenizer.kind);
      expect(again.vocabSize).toBe(tokenizer.vocabSize);
      expect(again.encode(text)).toEqual(tokenizer.encode(text));
    }
  });

  it.each([
    null,
    {},
    [],
    "char",
    { kind: "word" },
    { kind: "char" },
    { kind: "char", characters: ["a"] },
    { kind: "char", characters: "" },
    { kind: "char", characters: "ba" },
    { kind: "char", characters: "aa" },
    { kind: "char", characters: "a\uD83D" },
    { kind: "char", characters: "a", extra: 1 },
    { kind: "byte", characters: "a" },
  ])("rejects %j", (data) => {
    expect(() => tokenizerFromJSON(data)).toThrow(TokenError);
  });
});
