/** A prompt for a command that is printed: words of the text itself, so that the command runs when it is pasted. */
import { BLANK } from "../../sample/fill-blanks.ts";

/** Up to three words that follow each other, of letters and digits alone: a shell and every tokenizer of the text take them. */
const WORDS = /(?<![\p{L}\p{N}])[\p{L}\p{N}]+(?: [\p{L}\p{N}]+){0,2}(?![\p{L}\p{N}])/u;

/**
 * The first words of a text.
 *
 * @param most the most characters
 * @returns null if it has no short word
 * @example
 * promptIn("—\nOne misty Sunday in Ashford", 40); // "One misty Sunday"
 */
export function promptIn(text: string, most: number): string | null {
  const words = WORDS.exec(text)?.[0].split(" ") ?? [];
  const fitting = words.filter((_, i) => words.slice(0, i + 1).join(" ").length <= most);
  return fitting.length === 0 ? null : fitting.join(" ");
}

/** The same with a blank for an encoder, which is a prompt by itself. */
export function blankedPromptIn(text: string, most: number): string {
  const prompt = promptIn(text, most);
  return prompt === null ? BLANK : `${prompt.slice(0, -1)}${BLANK}`;
}
