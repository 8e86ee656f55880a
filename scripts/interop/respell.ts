/** Spells a text in characters of two, three and four bytes, to see that vocabularies of characters hold them. */
const LETTERS = "abcdefghijklmnopqrstuvwxyz";
/** Latin, Chinese, emoji. */
const FIRST = [0xe0, 0x4e00, 0x1f600];
/** What other programs might drop, join or normalize: a mark, a joiner, two spaces, a byte order mark, a line break. */
const CAPITALS: Readonly<Record<string, string>> = {
  O: "\u0301",
  H: "\u200d",
  S: "\u00a0",
  T: "\u3000",
  A: "\ufeff",
  I: "\u0085",
};

/** The text with every letter and some capitals replaced. */
export function respell(text: string): string {
  return Array.from(text, (character) => {
    const letter = LETTERS.indexOf(character);
    if (letter === -1) return CAPITALS[character] ?? character;
    return String.fromCodePoint(FIRST[letter % FIRST.length] + letter);
  }).join("");
}
