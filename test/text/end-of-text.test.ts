/** The token that ends a document, for every kind of tokenizer. */
import { describe, expect, it } from "vitest";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { showToken } from "../../src/text/show-token.ts";
import { END_OF_TEXT, encodeDocument } from "../../src/text/tokenizer.ts";
import { tokenizerFromJSON } from "../../src/text/tokenizer-from-json.ts";

const END = { endOfText: true } as const;

describe.each([
  ["char", new CharTokenizer("<>defnotx|", END), new CharTokenizer("<>defnotx|"), 10],
  ["byte", new ByteTokenizer(END), new ByteTokenizer(), 256],
] as const)("a %s tokenizer", (_kind, tokenizer, plain, id) => {
  it("has one more id with an end token, after those of the text", () => {
    expect([tokenizer.endOfText, tokenizer.vocabSize]).toEqual([id, id + 1]);
    expect([plain.endOfText, plain.vocabSize]).toEqual([null, id]);
    expect(() => plain.decode([id])).toThrow(`ids are 0 … ${id - 1}`);
    expect(() => tokenizer.decode([id + 1])).toThrow(`ids are 0 … ${id}`);
  });

  it("never encodes text as the end token, not even its name", () => {
    expect(tokenizer.encode(END_OF_TEXT)).toEqual(plain.encode(END_OF_TEXT));
    expect(Array.from(tokenizer.encode(END_OF_TEXT))).not.toContain(id);
  });

  it("shows it by its name, at once and token by token", () => {
    const ids = [...tokenizer.encode("to"), id, id, ...tokenizer.encode("ed"), id];
    const text = `to${END_OF_TEXT}${END_OF_TEXT}ed${END_OF_TEXT}`;
    expect(tokenizer.decode(ids)).toBe(text);
    const decoder = tokenizer.decoder();
    expect(ids.map((each) => decoder.push(each)).join("") + decoder.end()).toBe(text);
    expect(showToken(tokenizer, id)).toBe(END_OF_TEXT);
    expect(showToken(tokenizer, ids[0])).toBe('"t"');
  });

  it("survives JSON", () => {
    for (const each of [tokenizer, plain]) {
      const again = tokenizerFromJSON(JSON.parse(JSON.stringify(each)));
      expect([again.endOfText, again.vocabSize]).toEqual([each.endOfText, each.vocabSize]);
    }
    expect(() => tokenizerFromJSON({ ...tokenizer.toJSON(), endOfText: 10 })).toThrow("endOfText");
  });

  it("begins a document with it", () => {
    expect(Array.from(encodeDocument(tokenizer, "to"))).toEqual([id, ...plain.encode("to")]);
    expect(encodeDocument(plain, "to")).toEqual(plain.encode("to"));
    expect(Array.from(encodeDocument(tokenizer, ""))).toEqual([id]);
  });
});

it("ends a character that is cut off", () => {
  const bytes = new ByteTokenizer(END);
  const [first] = bytes.encode("é");
  expect(bytes.decode([first, 256, first])).toBe(`\uFFFD${END_OF_TEXT}\uFFFD`);
  const decoder = bytes.decoder();
  expect([decoder.push(first), decoder.push(256), decoder.end()]).toEqual(["", `\uFFFD${END_OF_TEXT}`, ""]);
});
