import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenError } from "../../src/errors.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { anyText } from "../support/any-text.ts";

const tokenizer = new ByteTokenizer();

describe("ByteTokenizer", () => {
  it("encodes as UTF-8", () => {
    expect(tokenizer.vocabSize).toBe(256);
    // Characters of 1, 2, 3 and 4 bytes, written out by hand from the definition of UTF-8.
    const bytes = [0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80];
    expect(tokenizer.encode("aé€\u{1F600}")).toEqual(Int32Array.from(bytes));
    expect(tokenizer.toJSON()).toEqual({ kind: "byte" });
  });

  it("round-trips text, at once and streamed", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = tokenizer.encode(text);
        const decoder = tokenizer.decoder();
        const pieces = Array.from(ids, (id) => decoder.push(id));
        expect(tokenizer.decode(ids)).toBe(text);
        expect(pieces.filter((piece) => piece !== "")).toEqual(Array.from(text));
        expect(decoder.end()).toBe("");
      }),
    );
  });

  it("keeps a byte order mark", () => {
    const ids = tokenizer.encode("\uFEFFa");
    const decoder = tokenizer.decoder();
    expect(tokenizer.decode(ids)).toBe("\uFEFFa");
    expect(Array.from(ids, (id) => decoder.push(id)).join("")).toBe("\uFEFFa");
  });

  it("decodes any bytes to the same text, streamed or not", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const decoder = tokenizer.decoder();
        const streamed = Array.from(bytes, (id) => decoder.push(id)).join("") + decoder.end();
        expect(streamed).toBe(tokenizer.decode(bytes));
        expect(streamed).toBe(Buffer.from(bytes).toString("utf8"));
      }),
    );
  });

  it("decodes invalid and incomplete UTF-8 to U+FFFD", () => {
    expect(tokenizer.decode([0x61, 0xff, 0x62])).toBe("a\uFFFDb");
    const decoder = tokenizer.decoder();
    expect([decoder.push(0xe2), decoder.push(0x82), decoder.end()]).toEqual(["", "", "\uFFFD"]);
  });

  it("encodes half of a UTF-16 pair as U+FFFD", () => {
    expect(tokenizer.decode(tokenizer.encode("a\uD83Db"))).toBe("a\uFFFDb");
  });

  it("rejects ids that are not bytes", () => {
    for (const id of [-1, 256, 0.5, Number.NaN]) {
      expect(() => tokenizer.decode([97, id])).toThrow(TokenError);
      expect(() => tokenizer.decode([97, id])).toThrow(`0 … 255: got ${id}`);
      expect(() => tokenizer.decoder().push(id)).toThrow(TokenError);
    }
  });
});
