/** Token ids from the bytes of a text, a chunk at a time: what `encode` gives for the whole, in flat memory. */
import { DataError, type TokenError } from "../errors.ts";
import { type PlaceInText, unknownCharacter } from "../text/char-tokenizer.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { codePointOf, sequenceLength } from "../text/utf8.ts";
import type { TextFacts } from "./text-stats.ts";
import type { TokenArray } from "./token-source.ts";

const UNKNOWN = -1;
const LF = 10;

export class TextToIds {
  /** Each code point's id, or UNKNOWN; null where the bytes are the ids. */
  readonly #ids: Int32Array | null;
  readonly #vocabSize: number;
  #dropped = 0;

  constructor(tokenizer: Tokenizer) {
    const data = tokenizer.toJSON();
    this.#vocabSize = tokenizer.vocabSize;
    this.#ids = data.kind === "byte" ? null : idsByCodePoint(data.characters);
  }

  /** How many characters `encode` has left out so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many ids a text has, and how many of its characters have none. */
  count({ bytes, characters, counts }: TextFacts): { readonly tokens: number; readonly unknown: number } {
    if (this.#ids === null) return { tokens: bytes, unknown: 0 };
    let unknown = 0;
    for (const [codePoint, count] of counts) if (this.#idOf(codePoint) === UNKNOWN) unknown += count;
    return { tokens: characters - unknown, unknown };
  }

  /**
   * Leaves characters out that have no id.
   *
   * @param chunk whole characters (see `wholeCharacters`)
   * @param into  has room for an id for each byte, from `at` on, unless it is known that fewer come
   * @returns     how many ids were written
   * @throws DataError when the chunk is not UTF-8
   */
  encode(chunk: Uint8Array, into: TokenArray, at = 0): number {
    const ids = this.#ids;
    if (ids === null) {
      into.set(chunk, at);
      return chunk.length;
    }
    let next = at;
    for (let i = 0; i < chunk.length; ) {
      let codePoint = chunk[i];
      if (codePoint < 0x80) i += 1;
      else {
        const length = sequenceLength(chunk, i);
        if (length === 0) throw new DataError(`text: 0x${codePoint.toString(16)} is not UTF-8 there`);
        codePoint = codePointOf(chunk, i, length);
        i += length;
      }
      const id = codePoint < ids.length ? ids[codePoint] : UNKNOWN;
      if (id === UNKNOWN) this.#dropped += 1;
      else into[next++] = id;
    }
    return next - at;
  }

  /** The complaint about the first character of a text that has no id; null where all have one. */
  async complainAbout(chunks: AsyncIterable<Uint8Array>): Promise<TokenError | null> {
    const place: { -readonly [Key in keyof PlaceInText]: number } = { character: 1, line: 1, column: 1 };
    for await (const chunk of chunks) {
      for (let i = 0; i < chunk.length; ) {
        // What is no UTF-8 has come since the text was counted: it is told where that is noticed.
        const length = Math.max(1, sequenceLength(chunk, i));
        const codePoint = length === 1 ? chunk[i] : codePointOf(chunk, i, length);
        if (this.#idOf(codePoint) === UNKNOWN) return unknownCharacter(codePoint, this.#vocabSize, place);
        i += length;
        place.character += 1;
        place.column = codePoint === LF ? 1 : place.column + 1;
        if (codePoint === LF) place.line += 1;
      }
    }
    return null;
  }

  #idOf(codePoint: number): number {
    return this.#ids === null || codePoint >= this.#ids.length ? UNKNOWN : this.#ids[codePoint];
  }
}

function idsByCodePoint(characters: string): Int32Array {
  const codePoints = Array.from(characters, (character) => character.codePointAt(0) ?? 0);
  const ids = new Int32Array(codePoints[codePoints.length - 1] + 1).fill(UNKNOWN);
  codePoints.forEach((codePoint, id) => {
    ids[codePoint] = id;
  });
  return ids;
}
