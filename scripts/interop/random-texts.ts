/** Texts to tokenize: what a tokenizer must bring back unchanged in every program. */
import type { Random } from "../../src/random.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";

const TEXTS = 200;
const LONGEST = 40;

/** Ranges of code points: all before and after the surrogates, Latin, Greek and Cyrillic, combining marks, CJK, emoji, and white space of several kinds. */
const RANGES: readonly (readonly [number, number])[] = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
  [0x20, 0x7e],
  [0xa0, 0x24f],
  [0x370, 0x4ff],
  [0x300, 0x36f],
  [0x3040, 0x30ff],
  [0x4e00, 0x9fff],
  [0x1f300, 0x1f64f],
  [0x2000, 0x200a],
  [0x9, 0xa],
];

/** Random texts that the tokenizer can encode, and their ids. */
export function randomTexts(tokenizer: Tokenizer, random: Random): { text: string; ids: number[] }[] {
  const known = knownCharacters(tokenizer);
  const pick = (): string => {
    if (known !== null) return known[random.below(known.length)];
    const [first, last] = RANGES[random.below(RANGES.length)];
    return String.fromCodePoint(first + random.below(last - first + 1));
  };
  return Array.from({ length: TEXTS }, () => {
    const text = Array.from({ length: 1 + random.below(LONGEST) }, pick).join("");
    return { text, ids: Array.from(tokenizer.encode(text)) };
  });
}

/** null if every character can be encoded. */
function knownCharacters(tokenizer: Tokenizer): readonly string[] | null {
  const data = tokenizer.toJSON();
  return data.kind === "char" ? Array.from(data.characters) : null;
}
