/** Shows text in which every character counts. */

const VISIBLE: Readonly<Record<string, string>> = { " ": "·", "\n": "⏎", "\t": "⇥" };

/** A token or text with white space made visible. */
export function visible(text: string): string {
  return text.replace(/[ \n\t]/g, (character) => VISIBLE[character]);
}
