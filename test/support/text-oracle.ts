/** Statistics of a string in memory, computed naively, to check streaming against. */
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";

/** Decodes UTF-8 without a byte order mark; null if the bytes are not UTF-8. */
export function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

export function factsOf(text: string) {
  const counts = new Map<number, number>();
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    counts.set(codePoint, (counts.get(codePoint) ?? 0) + 1);
  }
  return {
    bytes: new TextEncoder().encode(text).length,
    characters: Array.from(text).length,
    units: text.length,
    counts,
    pairs: text.split("\r\n").length - 1,
    longestLine: text.split(/[\r\n]/).reduce((most, line) => Math.max(most, line.length), 0),
    emptyLines: text.split(/\r\n|\r|\n/).filter((line, i, all) => line === "" && i < all.length - 1).length,
    documents: 0,
    first: text.codePointAt(0) ?? -1,
  };
}

export function idsOf(text: string): number[] {
  return Array.from(CharTokenizer.fromText(text).encode(text));
}

/** Bytes in chunks of equal size, all in the same memory, as when reading a file. */
export function* inChunks(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  const buffer = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = bytes.subarray(at, at + size);
    buffer.set(chunk);
    yield buffer.subarray(0, chunk.length);
  }
}
