/** Decodes UTF-8 in chunks. Source: The Unicode Standard, table 3-7. */

const CONTINUATION = 0x3f;

/** The length in bytes of the character that starts at `at`; 0 if it is invalid or cut off. */
export function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  // The second byte's range excludes overlong forms, surrogates and code points above U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (!(bytes[at + 1] >= low && bytes[at + 1] <= high)) return 0;
  const length = lengthByLead(lead);
  for (let i = 2; i < length; i++) {
    if (!(bytes[at + i] >= 0x80 && bytes[at + i] <= 0xbf)) return 0;
  }
  return length;
}

/** The code point of the valid sequence of 2 to 4 bytes that starts at `at`. */
export function codePointOf(bytes: Uint8Array, at: number, length: number): number {
  // The lead byte contributes its low 5, 4 or 3 bits.
  let codePoint = bytes[at] & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) codePoint = (codePoint << 6) | (bytes[at + i] & CONTINUATION);
  return codePoint;
}

/**
 * Regroups chunks so that none ends inside a character. Invalid UTF-8 passes through unchanged. A chunk is valid only
 * until the next one is read, because both may use the same memory.
 */
export async function* wholeCharacters(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let held = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = held.length === 0 ? chunk : concatenate(held, chunk);
    const end = bytes.length - unfinished(bytes);
    held = bytes.slice(end);
    if (end > 0) yield bytes.subarray(0, end);
  }
  if (held.length > 0) yield held;
}

export function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** The number of bytes at the end that belong to an incomplete character. */
function unfinished(bytes: Uint8Array): number {
  for (let count = 1; count <= Math.min(3, bytes.length); count++) {
    const byte = bytes[bytes.length - count];
    // Bytes above 0xf4 are never part of a character.
    if (byte < 0x80 || byte > 0xf4) return 0;
    if (byte >= 0xc0) return lengthByLead(byte) > count ? count : 0;
  }
  return 0;
}

function lengthByLead(lead: number): number {
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
