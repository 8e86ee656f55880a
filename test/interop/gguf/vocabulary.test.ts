/**
 * The vocabulary as llama.cpp uses it: its tokenization, written from its source as plain loops, must give nopeek's ids
 * and restore the text. The program itself is checked in scripts/interop.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/errors.ts";
import { vocabularyMetadata } from "../../../src/interop/gguf/vocabulary.ts";
import { BpeTokenizer } from "../../../src/text/bpe/bpe-tokenizer.ts";
import { splitWords } from "../../../src/text/bpe/split-words.ts";
import { ByteTokenizer } from "../../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../../src/text/char-tokenizer.ts";
import { END_OF_TEXT, type Tokenizer } from "../../../src/text/tokenizer.ts";
import { anyText } from "../../support/any-text.ts";

const END = { endOfText: true } as const;
const ALPHABET = [..."\n !,aefnotx|é日本😀😁"].sort(
  (a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0),
);
const knownText = fc.array(fc.constantFrom(...ALPHABET)).map((characters) => characters.join(""));
const MERGES = [
  [0x20, 0x74],
  [256, 0x68],
  [257, 0x65],
  [0xc3, 0xa9],
  [0x61, 0x61],
] as const;

/** GPT-2's characters for bytes, written out from its source in another way than ours. */
const SPELLING = (() => {
  const kept = [...Array(256).keys()].filter((b) => (b > 32 && b < 127) || (b > 160 && b !== 173));
  const moved = [...Array(256).keys()].filter((b) => !kept.includes(b));
  return new Map([
    ...kept.map((b): [number, string] => [b, String.fromCharCode(b)]),
    ...moved.map((b, i): [number, string] => [b, String.fromCharCode(256 + i)]),
  ]);
})();

class LlamaVocabulary {
  readonly tokens: readonly string[];
  readonly #ranks: ReadonlyMap<string, number>;
  readonly end: unknown;

  constructor(tokenizer: Tokenizer, endToken?: number) {
    const metadata = vocabularyMetadata(tokenizer, endToken);
    const strings = (name: string): readonly string[] => {
      const entry = metadata.get(`tokenizer.ggml.${name}`);
      if (entry?.type !== "strings") throw new Error(name);
      return entry.value;
    };
    this.tokens = strings("tokens");
    this.#ranks = new Map(strings("merges").map((merge, rank) => [merge, rank]));
    this.end = metadata.get("tokenizer.ggml.eos_token_id")?.value;
    if (this.#ranks.size === 0) throw new Error("cannot find tokenizer merges");
    if (new Set(this.tokens).size !== this.tokens.length) throw new Error("duplicate token");
  }

  encode(text: string): number[] {
    return splitWords(text).flatMap((word) => {
      const symbols = Array.from(new TextEncoder().encode(word), (byte) => SPELLING.get(byte) ?? "");
      for (;;) {
        const ranks = symbols.map((symbol, i) => this.#ranks.get(`${symbol} ${symbols[i + 1]}`) ?? Infinity);
        const best = ranks.indexOf(Math.min(...ranks));
        if (ranks.length === 0 || ranks[best] === Infinity) break;
        symbols.splice(best, 2, symbols[best] + symbols[best + 1]);
      }
      return symbols.map((symbol) => this.tokens.indexOf(symbol)).filter((id) => id >= 0);
    });
  }

  decode(ids: readonly number[]): string {
    const bytes = new Map([...SPELLING].map(([byte, character]) => [character, byte]));
    const spelled = ids.flatMap((id) => Array.from(this.tokens[id]));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      Uint8Array.from(spelled, (character) => bytes.get(character) ?? 0),
    );
  }
}

describe.each([
  ["char", new CharTokenizer(ALPHABET.join("")), knownText, 3],
  ["char with an end token", new CharTokenizer(ALPHABET.join(""), END), knownText, undefined],
  ["byte", new ByteTokenizer(), anyText, undefined],
  ["byte with an end token", new ByteTokenizer(END), anyText, undefined],
  ["bpe", new BpeTokenizer(MERGES), anyText, undefined],
  ["bpe with an end token", new BpeTokenizer(MERGES, END), anyText, undefined],
] as const)("a %s vocabulary", (_name, tokenizer, texts, endToken) => {
  const there = new LlamaVocabulary(tokenizer, endToken);

  it("gives the same ids and restores every text", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const ids = Array.from(tokenizer.encode(text));
        expect(there.encode(text)).toEqual(ids);
        expect(there.decode(ids)).toBe(text);
      }),
    );
  });

  it("has a row for every id, and the model's end token if there is one", () => {
    expect(there.tokens.length).toBe(tokenizer.vocabSize);
    expect(there.end).toBe(tokenizer.endOfText ?? endToken ?? 0xff);
    expect(there.tokens.includes(END_OF_TEXT)).toBe(tokenizer.endOfText !== null);
  });

  it("marks only the end token as no text, and begins a text with it", () => {
    const metadata = vocabularyMetadata(tokenizer, endToken);
    const types = Array.from({ length: tokenizer.vocabSize }, (_, id) =>
      id === tokenizer.endOfText ? 3 : 1,
    );
    expect(metadata.get("tokenizer.ggml.token_type")?.value).toEqual(types);
    expect(metadata.get("tokenizer.ggml.add_bos_token")?.value).toBe(tokenizer.endOfText !== null);
    expect(metadata.get("tokenizer.ggml.bos_token_id")?.value).toBe(there.end);
    expect(metadata.get("tokenizer.ggml.add_eos_token")?.value).toBe(false);
  });
});

it("builds characters of several bytes from their first byte on", () => {
  const merges = vocabularyMetadata(new CharTokenizer("aé日本"), 0).get("tokenizer.ggml.merges")?.value;
  expect(merges).toEqual(["Ã ©", "æ Ĺ", "æĹ ¥", "æ ľ", "æľ ¬"]);
});

it("needs an end token for a model of characters, inside the vocabulary", () => {
  const tokenizer = CharTokenizer.fromText("hello");
  expect(() => vocabularyMetadata(tokenizer)).toThrow(/needs a token that ends a text.*`endToken`/);
  for (const id of [-1, 4, 0.5]) expect(() => vocabularyMetadata(tokenizer, id)).toThrow(ConfigError);
  expect(vocabularyMetadata(tokenizer, 3).get("tokenizer.ggml.eos_token_id")?.value).toBe(3);
});
