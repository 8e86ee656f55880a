import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SampleError } from "../../src/errors.ts";
import { checkStops, hasEnd, TextStream } from "../../src/sample/text-stream.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";

/** A tokenizer whose tokens are pieces of text, like a subword tokenizer. */
function piecesTokenizer(pieces: readonly string[]): Tokenizer {
  return {
    kind: "char",
    vocabSize: pieces.length,
    endOfText: null,
    encode: () => expect.unreachable("only decodes"),
    decode: (ids) => Array.from(ids, (id) => pieces[id]).join(""),
    encoder: () => expect.unreachable("only decodes"),
    tokenBytes: () => expect.unreachable("only decodes"),
    decoder: () => ({ push: (id) => pieces[id], end: () => "" }),
    toJSON: () => expect.unreachable("this tokenizer is never saved"),
  };
}

/** The text shown after each token, and the rest at the end. */
function pushAll(tokenizer: Tokenizer, stops: readonly string[], tokens: Iterable<number>) {
  const stream = new TextStream(tokenizer, stops);
  const shown: string[] = [];
  for (const token of tokens) {
    if (stream.stop !== null) break;
    shown.push(stream.push(token));
  }
  return { shown, end: stream.end(), stop: stream.stop };
}

const pushPieces = (stops: readonly string[], ...pieces: string[]) =>
  pushAll(piecesTokenizer(pieces), stops, pieces.keys());

describe("a stop string", () => {
  test("ends the text before it, and a possible beginning of it is held back", () => {
    const { shown, end, stop } = pushPieces(["END"], ..."an EN, an END, more");
    expect(shown).toEqual(["a", "n", " ", "", "", "EN,", " ", "a", "n", " ", "", "", ""]);
    expect([end, stop]).toEqual(["", "END"]);
  });

  test("is found across token boundaries and inside a token", () => {
    expect(pushPieces(["\n\n"], "One.\n", "\nTwo")).toEqual({ shown: ["One.", ""], end: "", stop: "\n\n" });
    expect(pushPieces(["stop"], "a st", "o", "pper")).toEqual({
      shown: ["a ", "", ""],
      end: "",
      stop: "stop",
    });
    expect(pushPieces(["top"], "a stopper", "?")).toEqual({ shown: ["a s"], end: "", stop: "top" });
    expect(pushPieces(["stop"], "a st", "ar")).toEqual({ shown: ["a ", "star"], end: "", stop: null });
  });

  test("is found even if it overlaps itself", () => {
    expect(pushPieces(["aab"], ..."aaaab").shown.join("")).toBe("aa");
    expect(pushPieces(["abac"], ..."ababac")).toMatchObject({
      stop: "abac",
      shown: ["", "", "", "ab", "", ""],
    });
  });

  test("that never appears holds nothing back at the end", () => {
    expect(pushPieces(["xyz"], "ab", "x", "y")).toEqual({ shown: ["ab", "", ""], end: "xy", stop: null });
  });

  test("counts if it is complete first; at the same character, the longest counts", () => {
    expect(pushPieces(["bcd", "c"], "abcd")).toEqual({ shown: ["ab"], end: "", stop: "c" });
    expect(pushPieces(["cd", "bcd", "d"], ..."abcd")).toMatchObject({ stop: "bcd", end: "" });
    expect(pushPieces(["cd", "bcd", "d"], ..."abcd").shown.join("")).toBe("a");
    expect(pushPieces(["zz", "b"], "a", "b").stop).toBe("b");
  });

  test("with byte tokens, is found when its last character is complete", () => {
    const tokenizer = new ByteTokenizer();
    const run = (text: string, stops: string[]) => pushAll(tokenizer, stops, tokenizer.encode(text));
    expect(run("für 🦊!", ["🦊"])).toMatchObject({ stop: "🦊", end: "" });
    expect(run("für 🦊!", ["🦊"]).shown.join("")).toBe("für ");
    // 🦋 starts with the same bytes and the same surrogate as 🦊.
    expect(run("a 🦋!", ["🦊"]).shown).toEqual(["a", " ", "", "", "", "🦋", "!"]);
    const cut = pushAll(tokenizer, ["xy"], tokenizer.encode("xü").slice(0, 2));
    expect(cut).toEqual({ shown: ["", ""], end: "x\ufffd", stop: null });
  });

  test("with character tokens, is found at its last character", () => {
    const tokenizer = new CharTokenizer("abc🦊");
    expect(pushAll(tokenizer, ["🦊c"], tokenizer.encode("ab🦊cab"))).toEqual({
      shown: ["a", "b", "", ""],
      end: "",
      stop: "🦊c",
    });
  });

  test("must not be empty", () => {
    expect(() => checkStops(["x", ""])).toThrow(SampleError);
    expect(() => checkStops([""])).toThrow(/^`stop` must have at least one character/);
    expect(() => new TextStream(new ByteTokenizer(), [""])).toThrow(SampleError);
  });
});

describe("for any text, stop strings and tokens", () => {
  const letters = (most: number, least = 0) =>
    fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: least, maxLength: most });
  const cases = fc.record({
    pieces: fc.array(letters(4), { maxLength: 13 }),
    stops: fc.array(letters(4, 1), { maxLength: 3 }),
  });

  /** By definition: the shortest prefix of the text that ends with a stop string. */
  function expectedOf(text: string, stops: readonly string[]) {
    for (let end = 1; end <= text.length; end++) {
      const complete = stops.filter((stop) => text.slice(0, end).endsWith(stop));
      if (complete.length === 0) continue;
      const length = Math.max(...complete.map((stop) => stop.length));
      return { text: text.slice(0, end - length), stopped: true };
    }
    return { text, stopped: false };
  }

  test("shows exactly the text before the first complete stop string", () => {
    fc.assert(
      fc.property(cases, ({ pieces, stops }) => {
        const { shown, end, stop } = pushPieces(stops, ...pieces);
        const expected = expectedOf(pieces.join(""), stops);
        expect({ text: shown.join("") + end, stopped: stop !== null }).toEqual(expected);
        expect(hasEnd(piecesTokenizer(pieces), stops, [...pieces.keys()])).toBe(expected.stopped);
      }),
      { numRuns: 1000 },
    );
  });

  test("holds back only a possible beginning of a stop string", () => {
    fc.assert(
      fc.property(cases, ({ pieces, stops }) => {
        const { shown, end, stop } = pushPieces(stops, ...pieces);
        if (stop !== null) return;
        expect(end === "" || stops.some((each) => each.startsWith(end) && each !== end)).toBe(true);
        const text = shown.join("") + end;
        for (let length = end.length + 1; length <= text.length; length++) {
          expect(stops.some((each) => each.startsWith(text.slice(-length)))).toBe(false);
        }
      }),
    );
  });
});

describe("the end of a document", () => {
  const tokenizer = new CharTokenizer("abc", { endOfText: true });
  const END = tokenizer.endOfText ?? -1;

  test("ends the text, and what was held back belongs to it", () => {
    const stream = new TextStream(tokenizer, ["abc"]);
    expect([0, 1, END].map((id) => stream.push(id))).toEqual(["", "", ""]);
    expect([stream.ended, stream.stop]).toEqual(["end", null]);
    expect([stream.push(2), stream.end()]).toEqual(["", "ab"]);
  });

  test("does not count after a stop string", () => {
    const stream = new TextStream(tokenizer, ["b"]);
    expect([0, 1, END].map((id) => stream.push(id)).join("")).toBe("a");
    expect([stream.ended, stream.stop]).toEqual(["stop", "b"]);
    expect(hasEnd(tokenizer, [], [0, END, 1])).toBe(true);
    expect(hasEnd(tokenizer, ["c"], [0, 1])).toBe(false);
  });
});
