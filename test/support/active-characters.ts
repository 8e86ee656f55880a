/** The characters that may act on a terminal or hide text, listed by hand; an oracle for src/util/printable.ts. */

type Range = readonly [first: number, last: number];

/** From Unicode's charts: controls, invisible format characters, bidirectional controls, line separators, tags. */
const RANGES: readonly Range[] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x061c, 0x061c],
  [0x180e, 0x180e],
  [0x200b, 0x200b],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x2064],
  [0x2066, 0x206f],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0x13430, 0x1343f],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0001, 0xe0001],
  [0xe0020, 0xe007f],
];

export function isActive(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return RANGES.some(([first, last]) => code >= first && code <= last);
}

/** The active characters in a text, as hex numbers. Line feeds and tabs are none. */
export function activeIn(text: string): string[] {
  const found = Array.from(text).filter(isActive);
  return [...new Set(found)].map((character) => (character.codePointAt(0) ?? 0).toString(16));
}

/**
 * A text that tries to act: it sets colors, the title, the clipboard and a link, erases the screen by C0 and C1,
 * overrides the direction, hides letters, and starts a line.
 */
export const ACTIVE_TEXT =
  "evil\u001b[31m\u001b[2J\u001b]0;t\u0007\u001b]52;c;ZXZpbA==\u0007\u001b]8;;http://x\u001b\\\u009b2J\u009d0;t\u009c\u0085\u202e\u2066\u200b\u200d\u2028\u007f\u0008\u{e0041}\ufeff";
