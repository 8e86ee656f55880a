/**
 * GPT-2's spelling of bytes: a printable character for each byte, so that a vocabulary of byte sequences can be written
 * as text. Source: `bytes_to_unicode` in https://github.com/openai/gpt-2/blob/master/src/encoder.py
 */

/** Ranges of bytes that are printable characters in Latin-1. Each is spelled as that character. */
const PRINTABLE: readonly (readonly [number, number])[] = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
];
/** The others take the code points from here on, in their order. */
const FIRST_SUBSTITUTE = 0x100;

/** The character of each of the 256 bytes. */
export const BYTE_CHARACTERS: readonly string[] = makeTable();

/**
 * Spells bytes as text.
 *
 * @example
 *   spellBytes(new TextEncoder().encode("é\n")); // "Ã©Ċ"
 */
export function spellBytes(bytes: Iterable<number>): string {
  let text = "";
  for (const byte of bytes) text += BYTE_CHARACTERS[byte];
  return text;
}

function makeTable(): string[] {
  let substitute = FIRST_SUBSTITUTE;
  return Array.from({ length: 256 }, (_, byte) => {
    const stands = PRINTABLE.some(([first, last]) => byte >= first && byte <= last);
    return String.fromCodePoint(stands ? byte : substitute++);
  });
}
