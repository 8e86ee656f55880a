/** The files for Hugging Face's libraries, read by the JavaScript one. Its Python twin is checked in scripts/interop. */
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tokenizerFiles } from "../../src/interop/tokenizer-json.ts";
import { BpeTokenizer } from "../../src/text/bpe/bpe-tokenizer.ts";
import { trainBpe } from "../../src/text/bpe/train-bpe.ts";
import { BYTE_CHARACTERS, spellBytes } from "../../src/text/byte-characters.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { END_OF_TEXT, encodeDocument, type Tokenizer } from "../../src/text/tokenizer.ts";
import { anyText } from "../support/any-text.ts";

const END = { endOfText: true } as const;
/** A letter of each length in UTF-8, what tokenizers like to clean up, and the letters of the end token's name. */
const ALPHABET = Array.from(
  new Set("aé日😀 \n\t\r .,!?'\u00a0\u0301\ufeff\u200d019__proto__<|endoftext|>"),
).sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));
const knownText = fc
  .array(fc.constantFrom(...ALPHABET), { minLength: 1 })
  .map((characters) => characters.join(""));

/** Merges of text that occurs: spaces with letters, white space of several kinds, and bytes of a character. */
const { merges: MERGES } = trainBpe(
  "the tea, the teas: 2 tea's  \n\n\t tea\u00a0tea\u0085\u0085tea\ufeff tea\u3000\u3000 é日😀é日😀 don't 2019 ".repeat(
    5,
  ),
  { vocabSize: 320 },
);
const words = fc.constantFrom(
  ..."the tea tea's don't 2019 é日😀 \u0085 \u3000 \ufeff \n".split(" "),
  " ",
  "  ",
  "\u00a0",
);
const texts = fc.oneof(
  anyText,
  fc.array(words, { minLength: 1 }).map((each) => each.join("")),
);

/** The files as a program reads them from a disk. */
function readBack(tokenizer: Tokenizer): HuggingFaceTokenizer {
  const files = JSON.parse(JSON.stringify(tokenizerFiles(tokenizer, 64)));
  return new HuggingFaceTokenizer(files.tokenizer, files.config);
}

describe.each([
  ["char", new CharTokenizer(ALPHABET.join("")), knownText],
  ["char with an end token", new CharTokenizer(ALPHABET.join(""), END), knownText],
  ["byte", new ByteTokenizer(), anyText],
  ["byte with an end token", new ByteTokenizer(END), anyText],
  ["bpe", new BpeTokenizer(MERGES), texts],
  ["bpe with an end token", new BpeTokenizer(MERGES, END), texts],
] as const)("a %s tokenizer in JavaScript", (_name, tokenizer, texts) => {
  const there = readBack(tokenizer);
  const { endOfText } = tokenizer;

  it("gives the same ids and restores every text", () => {
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(endOfText === null || !text.includes(END_OF_TEXT));
        const ids = Array.from(tokenizer.encode(text));
        expect(there.encode(text, { add_special_tokens: false }).ids).toEqual(ids);
        expect(there.encode(text).ids).toEqual(Array.from(encodeDocument(tokenizer, text)));
        expect(there.decode(ids)).toBe(text);
        expect(there.decode(ids, { skip_special_tokens: true })).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it("decodes any ids to the same text", () => {
    const anyIds = fc.array(fc.nat(tokenizer.vocabSize - 1), { minLength: 1 });
    fc.assert(
      fc.property(anyIds, (ids) => {
        expect(there.decode(ids)).toBe(tokenizer.decode(ids));
      }),
    );
  });

  it("has the end token, or text in its place", () => {
    const { ids } = there.encode(`a${END_OF_TEXT}.`, { add_special_tokens: false });
    const around = [tokenizer.encode("a")[0], tokenizer.encode(".")[0]];
    if (endOfText === null) expect(ids).toEqual(Array.from(tokenizer.encode(`a${END_OF_TEXT}.`)));
    else expect(ids).toEqual([around[0], endOfText, around[1]]);
    expect(there.get_vocab().size).toBe(tokenizer.vocabSize);
    if (endOfText !== null) expect(there.decode(ids, { skip_special_tokens: true })).toBe("a.");
  });
});

it("names the end token as the beginning, end and padding of a text, if there is one", () => {
  const names = ["bos_token", "eos_token", "pad_token"];
  const { config } = tokenizerFiles(new ByteTokenizer(END), 64);
  expect(names.map((name) => config[name])).toEqual([END_OF_TEXT, END_OF_TEXT, END_OF_TEXT]);
  expect(config.model_max_length).toBe(64);
  const without = tokenizerFiles(new ByteTokenizer(), 64);
  for (const name of [...names, "unk_token"]) expect(without.config).not.toHaveProperty(name);
  expect(without.tokenizer.added_tokens).toEqual([]);
});

it("does not let unknown characters disappear", () => {
  const there = readBack(CharTokenizer.fromText("hello"));
  expect(there.encode("heZlo").ids).toEqual([1, 0, undefined, 2, 3]);
});

it("spells bytes as GPT-2 does", () => {
  expect(new Set(BYTE_CHARACTERS).size).toBe(256);
  // Known tokens of GPT-2: " the", "\n", U+00AD, and an emoji's first bytes.
  expect(spellBytes(new TextEncoder().encode(" the\n"))).toBe("ĠtheĊ");
  expect(spellBytes([0xad, 0xf0, 0x9f])).toBe("ŃðŁ");
});
