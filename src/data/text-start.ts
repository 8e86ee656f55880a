/** The character from which sampling starts if there is no prompt: a boundary of the text, as far as it has any. */
import { knownCharacters } from "../text/known-characters.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { TextFacts } from "./text-stats.ts";

const [LF, CR] = [10, 13];

/**
 * A line feed if the text has one; else a carriage return; else the first character that the tokenizer knows; "" if it
 * knows none.
 *
 * @example
 * startOfText(corpus.facts, tokenizer); // "\n" for most texts, "a" for "a,b,c"
 */
export function startOfText({ counts }: Pick<TextFacts, "counts">, tokenizer: Tokenizer): string {
  const known = knownCharacters(tokenizer);
  const isKnown = (codePoint: number) => known?.has(String.fromCodePoint(codePoint)) !== false;
  const breaks = [LF, CR].filter((codePoint) => counts.has(codePoint));
  // The counts are in order of first appearance.
  for (const codePoint of [...breaks, ...counts.keys()])
    if (isKnown(codePoint)) return String.fromCodePoint(codePoint);
  return "";
}
