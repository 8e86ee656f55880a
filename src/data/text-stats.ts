/**
 * Statistics of a text, computed in one pass over its bytes and in constant memory. A character is a code point; a unit
 * is a UTF-16 code unit, in which JavaScript measures strings.
 */

import { codePointOf, sequenceLength } from "../text/utf8.ts";
import { DOCUMENT_END } from "./documents.ts";

export interface TextFacts {
  /** In UTF-8, without the byte order mark. */
  readonly bytes: number;
  readonly characters: number;
  readonly units: number;
  /** The number of occurrences of each character, in order of first appearance. */
  readonly counts: ReadonlyMap<number, number>;
  /** The number of CR LF pairs. */
  readonly pairs: number;
  /** The longest run without CR and LF, in units. */
  readonly longestLine: number;
  /** The number of line breaks directly after another one or at the start. */
  readonly emptyLines: number;
  /** The number of marked documents; 0 if they are not marked (see documents.ts). */
  readonly documents: number;
  /** The first character; −1 if the text is empty. */
  readonly first: number;
}

const CODE_POINTS = 0x110000;
const [LF, CR] = [10, 13];

export class TextScanner {
  readonly #counts = new Float64Array(CODE_POINTS);
  /** Characters in order of first appearance. */
  readonly #seen: number[] = [];
  #bytes = 0;
  #units = 0;
  #lineStart = 0;
  #longestLine = 0;
  /** The position of the last CR, in units. */
  #lastReturn = -2;
  #pairs = 0;
  #emptyLines = 0;
  #documents = 0;
  readonly #isMarked: boolean;

  /** @param isMarked whether the ends of documents are marked */
  constructor(isMarked = false) {
    this.#isMarked = isMarked;
  }

  /**
   * @param chunk whole characters (see `wholeCharacters`)
   * @returns     −1, or the offset of the first invalid UTF-8 sequence; do not push anything after that
   */
  push(chunk: Uint8Array): number {
    const counts = this.#counts;
    // The character at byte `at` of the chunk is unit `shift + at` of the text.
    let shift = this.#units;
    let at = 0;
    while (at < chunk.length) {
      const byte = chunk[at];
      if (byte < 0x80) {
        if (counts[byte]++ === 0) this.#seen.push(byte);
        if (byte <= CR && (byte === LF || byte === CR)) this.#endLine(byte, shift + at);
        at += 1;
        continue;
      }
      if (byte === DOCUMENT_END && this.#isMarked) {
        this.#documents += 1;
        shift -= 1;
        at += 1;
        continue;
      }
      const length = sequenceLength(chunk, at);
      if (length === 0) return at;
      const codePoint = codePointOf(chunk, at, length);
      if (counts[codePoint]++ === 0) this.#seen.push(codePoint);
      // Four bytes are two units; fewer bytes are one unit.
      shift -= length === 4 ? 2 : length - 1;
      at += length;
    }
    this.#units = shift + at;
    this.#bytes += at;
    return -1;
  }

  facts(): TextFacts {
    const counts = new Map(this.#seen.map((codePoint) => [codePoint, this.#counts[codePoint]]));
    let characters = 0;
    for (const count of counts.values()) characters += count;
    return {
      bytes: this.#bytes,
      characters,
      units: this.#units,
      counts,
      pairs: this.#pairs,
      emptyLines: this.#emptyLines,
      documents: this.#documents,
      longestLine: Math.max(this.#longestLine, this.#units - this.#lineStart),
      first: this.#seen.length === 0 ? -1 : this.#seen[0],
    };
  }

  #endLine(byte: number, unit: number): void {
    const completesPair = byte === LF && this.#lastReturn === unit - 1;
    if (completesPair) this.#pairs += 1;
    else if (unit === this.#lineStart) this.#emptyLines += 1;
    if (byte === CR) this.#lastReturn = unit;
    this.#longestLine = Math.max(this.#longestLine, unit - this.#lineStart);
    this.#lineStart = unit + 1;
  }
}

/**
 * Every distinct character of a text, in code point order.
 *
 * @param minCount leaves out characters that occur less often
 */
export function vocabularyOf({ counts }: TextFacts, minCount = 1): string {
  const frequent = Array.from(counts).filter(([, count]) => count >= minCount);
  const sorted = Int32Array.from(frequent, ([codePoint]) => codePoint).sort();
  return Array.from(sorted, (codePoint) => String.fromCodePoint(codePoint)).join("");
}
