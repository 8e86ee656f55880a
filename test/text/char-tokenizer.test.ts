import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenError } from "../../src/errors.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { anyText } from "../support/any-text.ts";
import { messageOfA } from "../support/errors.ts";

const messageOf = messageOfA(TokenError);

describe("CharTokenizer", () => {
  it("numbers the distinct characters in code point order", () => {
    // In UTF-16 order the emoji would come before U+FB01, because its first unit is U+D83D.
    const tokenizer = CharTokenizer.fromText("b\u{1F600}a\uFB01b\nb");
    expect(tokenizer.toJSON()).toEqual({ kind: "char", characters: "\nab\uFB01\u{1F600}" });
    expect(tokenizer.vocabSize).toBe(5);
    expect(Array.from(tokenizer.encode("\u{1F600}ab\n"))).toEqual([4, 1, 2, 0]);
  });

  it("round-trips text with any characters, with one id for each code point", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const tokenizer = CharTokenizer.fromText(text);
        const ids = tokenizer.encode(text);
        const decoder = tokenizer.decoder();
        expect(ids).toBeInstanceOf(Int32Array);
        expect(ids.length).toBe(Array.from(text).length);
        expect(Math.max(...ids)).toBe(tokenizer.vocabSize - 1);
        expect(tokenizer.decode(ids)).toBe(text);
        expect(Array.from(ids, (id) => decoder.push(id)).join("") + decoder.end()).toBe(text);
      }),
    );
  });

  it("encodes an empty text to no ids", () => {
    const tokenizer = CharTokenizer.fromText("a");
    expect(tokenizer.encode("")).toEqual(new Int32Array(0));
    expect(tokenizer.decode([])).toBe("");
  });

  it("reports an unknown character, its position and a remedy", () => {
    const tokenizer = CharTokenizer.fromText("\nabc\u{1F600}");
    // The emoji is one character, so é is the fourth of its line and the eighth of the text.
    const message = messageOf(() => tokenizer.encode("abc\na\u{1F600}bé"));
    expect(message).toContain('"é" (U+00E9)');
    expect(message).toContain("character 8 of the text, line 2, column 4");
    expect(message).toContain("5 characters");
    expect(message).toContain("train on text that contains it, or use the byte tokenizer");
    expect(messageOf(() => tokenizer.encode("Z"))).toContain("character 1 of the text, line 1, column 1");
    expect(messageOf(() => tokenizer.encode("\n\nZ"))).toContain("line 3, column 1");
  });

  it("escapes characters that a terminal does not show", () => {
    const tokenizer = CharTokenizer.fromText("a");
    expect(messageOf(() => tokenizer.encode("a\n"))).toContain('"\\n" (U+000A)');
    expect(messageOf(() => tokenizer.encode("\u0007"))).toContain('"\\u{7}" (U+0007)');
    expect(messageOf(() => tokenizer.encode("\u200B"))).toContain('"\\u{200b}" (U+200B)');
    expect(messageOf(() => tokenizer.encode("\u0301"))).toContain('"\\u{301}" (U+0301)');
    expect(messageOf(() => tokenizer.encode("\u{1F600}"))).toContain('"\u{1F600}" (U+1F600)');
    // Above all known code points, and below all of them.
    expect(messageOf(() => CharTokenizer.fromText("m").encode("z"))).toContain('"z"');
    expect(messageOf(() => CharTokenizer.fromText("m").encode("b"))).toContain('"b"');
  });

  it("rejects half of a UTF-16 pair", () => {
    const tokenizer = CharTokenizer.fromText("a\u{1F600}");
    expect(messageOf(() => tokenizer.encode("a\uD83D"))).toContain("U+D83D, half of a UTF-16 pair");
    expect(messageOf(() => tokenizer.encode("\uDE00a"))).toContain("U+DE00, half of a UTF-16 pair");
    expect(messageOf(() => CharTokenizer.fromText("a\uD83Db"))).toContain("U+D83D, half of a UTF-16 pair");
  });

  it("rejects ids outside the vocabulary", () => {
    const tokenizer = CharTokenizer.fromText("abc");
    for (const id of [-1, 3, 1.5, Number.NaN]) {
      expect(messageOf(() => tokenizer.decode([0, id]))).toContain(`0 … 2: got ${id}`);
      expect(messageOf(() => tokenizer.decoder().push(id))).toContain(`got ${id}`);
    }
  });

  it("rejects an empty, unordered or invalid vocabulary", () => {
    expect(messageOf(() => CharTokenizer.fromText(""))).toContain("at least one character");
    expect(messageOf(() => new CharTokenizer("ba"))).toContain('got "a" (U+0061) after "b" (U+0062)');
    expect(messageOf(() => new CharTokenizer("aa"))).toContain("must be unique");
    expect(messageOf(() => new CharTokenizer("a\uD83D"))).toContain("not a character");
  });
});
