import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/errors.ts";
import { checkSplit, decodeCorpus, splitCorpus } from "../../src/train/corpus.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    if (error instanceof DataError) return error.message;
  }
  throw new Error("nothing was thrown");
}

describe("decodeCorpus", () => {
  it("decodes UTF-8 and drops a byte order mark", () => {
    expect(decodeCorpus(bytesOf("aé€\u{1F600}\r\n"), "f")).toBe("aé€\u{1F600}\r\n");
    expect(decodeCorpus(bytesOf("\uFEFFab"), "f")).toBe("ab");
    expect(decodeCorpus(bytesOf("a\uFEFFb"), "f")).toBe("a\uFEFFb");
  });

  it("refuses nothing, and nothing but a byte order mark", () => {
    expect(messageOf(() => decodeCorpus(new Uint8Array(0), "my.txt"))).toContain("my.txt: is empty");
    expect(messageOf(() => decodeCorpus(bytesOf("\uFEFF"), "my.txt"))).toContain("my.txt: is empty");
  });

  it("says where the first byte sequence is that is not UTF-8", () => {
    const sequences: readonly (readonly [string, readonly number[]])[] = [
      ["a continuation on its own", [0x80]],
      ["Latin-1 é", [0xe9, 0x20]],
      ["an overlong slash in two bytes", [0xc0, 0xaf]],
      ["an overlong form of two bytes", [0xc1, 0xbf]],
      ["an overlong form of three bytes", [0xe0, 0x9f, 0xbf]],
      ["an overlong form of four bytes", [0xf0, 0x8f, 0xbf, 0xbf]],
      ["a surrogate", [0xed, 0xa0, 0x80]],
      ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
      ["a byte of no use", [0xf5, 0x80, 0x80, 0x80]],
      ["a third byte that does not go on", [0xe2, 0x82, 0x41]],
      ["a fourth byte that does not go on", [0xf0, 0x9f, 0x98, 0x41]],
    ];
    for (const [what, sequence] of sequences) {
      const lead = sequence[0].toString(16);
      for (const after of ["", "b"]) {
        const bytes = Uint8Array.from([...bytesOf("aé€\u{1F600}"), ...sequence, ...bytesOf(after)]);
        const message = messageOf(() => decodeCorpus(bytes, "my.txt"));
        expect(message, what).toContain(`my.txt: is not valid UTF-8 at byte 10 (0x${lead})`);
        expect(message, what).toContain("convert it to UTF-8");
      }
    }
    const cut = bytesOf("ab\u{1F600}").subarray(0, 5);
    expect(messageOf(() => decodeCorpus(cut, "f"))).toContain("at byte 2 (0xf0)");
  });

  it("recognises UTF-16", () => {
    const utf16 = Uint8Array.from([0xff, 0xfe, 0x61, 0x00]);
    expect(messageOf(() => decodeCorpus(utf16, "f"))).toContain("looks like UTF-16");
  });

  it("agrees with the platform about which bytes are UTF-8, and up to where", () => {
    const byte = fc.oneof(
      fc.constantFrom(0xc3, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0x80, 0x9f, 0xa0, 0xbf),
      fc.nat(255),
    );
    fc.assert(
      fc.property(fc.array(byte, { minLength: 1, maxLength: 12 }), (values) => {
        const bytes = Uint8Array.from(values);
        // The longest start that a streaming decoder takes without complaint ends in or before the bad sequence.
        const lossy = Buffer.from(bytes).toString("utf8");
        if (Buffer.from(lossy).equals(Buffer.from(bytes))) {
          expect(decodeCorpus(bytes, "f")).toBe(lossy);
          return;
        }
        const at = Number(/at byte (\d+)/.exec(messageOf(() => decodeCorpus(bytes, "f")))?.[1]);
        const good = bytes.subarray(0, at);
        expect(Buffer.from(Buffer.from(good).toString("utf8")).equals(Buffer.from(good))).toBe(true);
        // No character starts at `at`, whatever its length.
        for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
          const start = Buffer.from(bytes.subarray(at, at + length));
          expect(Buffer.from(start.toString("utf8")).equals(start)).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("splitCorpus", () => {
  it("trains on the first nine tenths and holds out the rest", () => {
    const ids = Int32Array.from({ length: 47 }, (_, i) => i);
    const { train, validation, boundary } = splitCorpus(ids);
    expect(boundary).toBe(42);
    expect(Array.from(train)).toEqual(Array.from(ids.slice(0, 42)));
    expect(Array.from(validation)).toEqual([42, 43, 44, 45, 46]);
  });

  it("rounds down, without the error of a decimal fraction", () => {
    for (let length = 1; length < 2000; length++) {
      const { boundary } = splitCorpus(new Int32Array(length));
      expect(boundary * 10 <= length * 9 && (boundary + 1) * 10 > length * 9).toBe(true);
    }
  });

  it("refuses an empty corpus", () => {
    expect(messageOf(() => splitCorpus(new Int32Array(0)))).toContain("is empty");
  });
});

describe("checkSplit", () => {
  it("asks for a window and one more token in either part, and says which numbers would do", () => {
    for (const contextLength of [1, 2, 3, 7, 64]) {
      const enough = 10 * contextLength + 1;
      expect(() => checkSplit(splitCorpus(new Int32Array(enough)), contextLength)).not.toThrow();
      const message = messageOf(() => checkSplit(splitCorpus(new Int32Array(enough - 1)), contextLength));
      expect(message).toContain(`at least ${enough} tokens`);
      expect(message).toContain(`validation ${contextLength}, and each needs ${contextLength + 1}`);
    }
  });

  it("says the longest context that fits, which does fit", () => {
    for (let length = 1; length < 100; length++) {
      const split = splitCorpus(new Int32Array(length));
      const longest = /contextLength of at most (\d+)/.exec(messageOf(() => checkSplit(split, 97)))?.[1];
      expect(longest === undefined).toBe(length < 11);
      if (longest === undefined) continue;
      expect(() => checkSplit(split, Number(longest))).not.toThrow();
      expect(() => checkSplit(split, Number(longest) + 1)).toThrow(DataError);
    }
  });
});
