/** Tokenizers as Hugging Face's libraries read them, and random texts with nopeek's ids, for check_tokenizers.py. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tokenizerFiles } from "../../src/interop/tokenizer-json.ts";
import { Random } from "../../src/random.ts";
import { BpeTokenizer } from "../../src/text/bpe/bpe-tokenizer.ts";
import { trainBpe } from "../../src/text/bpe/train-bpe.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { END_OF_TEXT, type Tokenizer } from "../../src/text/tokenizer.ts";

const CASES = 500;
const END = { endOfText: true } as const;
const characters = CharTokenizer.fromText(
  `aé日😀 \n\t\r .,!?'\u00a0\u0301\ufeff\u200d\u0085019${END_OF_TEXT}`,
).toJSON();
const alphabet = characters.kind === "char" ? characters.characters : "";

/** Of texts with the same characters, so that most merges apply. */
const { merges } = trainBpe(
  Array.from({ length: 300 }, (_, seed) => randomText(Random.of(seed, "merges"), true)),
  { vocabSize: 400 },
);

const TOKENIZERS: Readonly<Record<string, Tokenizer>> = {
  char: new CharTokenizer(alphabet),
  "char-end": new CharTokenizer(alphabet, END),
  byte: new ByteTokenizer(),
  "byte-end": new ByteTokenizer(END),
  bpe: new BpeTokenizer(merges),
  "bpe-end": new BpeTokenizer(merges, END),
};

/** A text of up to 40 characters; half of them are of the alphabet, all for a tokenizer that knows no others. */
function randomText(random: Random, onlyAlphabet: boolean): string {
  const known = Array.from(alphabet);
  let text = "";
  for (let left = 1 + random.below(40); left > 0; left--) {
    const codePoint = random.below(0x110000);
    const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
    const isKnown = onlyAlphabet || isSurrogate || random.below(2) === 0;
    text += isKnown ? known[random.below(known.length)] : String.fromCodePoint(codePoint);
  }
  return text;
}

/** Writes a folder for each tokenizer. Returns their names. */
export function writeTokenizerCases(folder: string): string[] {
  for (const [name, tokenizer] of Object.entries(TOKENIZERS)) {
    const random = Random.of(1, name);
    const texts = Array.from({ length: CASES }, () => randomText(random, tokenizer.kind === "char"));
    const cases = texts
      .filter((text) => !text.includes(END_OF_TEXT))
      .map((text) => ({ text, ids: Array.from(tokenizer.encode(text)) }));
    const at = join(folder, name);
    mkdirSync(at, { recursive: true });
    const files = tokenizerFiles(tokenizer, 256);
    writeFileSync(join(at, "tokenizer.json"), JSON.stringify(files.tokenizer));
    writeFileSync(join(at, "tokenizer_config.json"), JSON.stringify(files.config));
    const { kind, endOfText } = tokenizer;
    writeFileSync(join(at, "cases.json"), JSON.stringify({ kind, endOfText, cases }));
  }
  return Object.keys(TOKENIZERS);
}
