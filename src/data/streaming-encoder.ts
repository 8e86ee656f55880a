/** Tokenizes the bytes of a text chunk by chunk in constant memory. The ids equal those of the tokenizer's `encode`. */
import { DataError, type TokenError } from "../errors.ts";
import { type TextPosition, unknownCharacter } from "../text/char-tokenizer.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { codePointOf, sequenceLength } from "../text/utf8.ts";
import { DOCUMENT_END } from "./documents.ts";
import type { TextFacts } from "./text-stats.ts";
import type { TokenArray } from "./token-source.ts";

const NO_ID = -1;
const LF = 10;

export class StreamingEncoder {
  /** The id of each code point, or NO_ID; null if the bytes are the ids. */
  readonly #ids: Int32Array | null;
  /** The number of characters in the vocabulary. */
  readonly #characters: number;
  /** The id for the end of a document, or NO_ID. */
  readonly #endOfText: number;
  #dropped = 0;

  constructor(tokenizer: Tokenizer) {
    const data = tokenizer.toJSON();
    this.#characters = tokenizer.vocabSize - (tokenizer.endOfText === null ? 0 : 1);
    this.#endOfText = tokenizer.endOfText ?? NO_ID;
    this.#ids = data.kind === "byte" ? null : idsByCodePoint(data.characters);
  }

  /** The number of characters that `encode` has dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The number of ids of a text with its documents marked, and of characters outside the vocabulary. */
  count({ bytes, characters, counts, documents }: TextFacts): {
    readonly tokens: number;
    readonly unknown: number;
  } {
    if (this.#ids === null) return { tokens: bytes, unknown: 0 };
    let unknown = 0;
    for (const [codePoint, count] of counts) if (this.#idOf(codePoint) === NO_ID) unknown += count;
    return { tokens: characters - unknown + documents, unknown };
  }

  /**
   * Writes the ids of a chunk, dropping characters outside the vocabulary.
   *
   * @param chunk whole characters (see `wholeCharacters`)
   * @param into  needs room from `at` on for the ids of the chunk, at most one per byte
   * @returns     the number of ids written
   * @throws DataError if the chunk is not UTF-8
   */
  encode(chunk: Uint8Array, into: TokenArray, at = 0): number {
    const ids = this.#ids;
    if (ids === null) {
      into.set(chunk, at);
      // No byte of UTF-8 equals the mark.
      if (this.#endOfText !== NO_ID)
        for (let i = 0; i < chunk.length; i++) if (chunk[i] === DOCUMENT_END) into[at + i] = this.#endOfText;
      return chunk.length;
    }
    let next = at;
    for (let i = 0; i < chunk.length; ) {
      let codePoint = chunk[i];
      if (codePoint < 0x80) i += 1;
      else if (codePoint === DOCUMENT_END && this.#endOfText !== NO_ID) {
        into[next++] = this.#endOfText;
        i += 1;
        continue;
      } else {
        const length = sequenceLength(chunk, i);
        if (length === 0)
          throw new DataError(`text: byte 0x${codePoint.toString(16)} is not valid UTF-8 here`);
        codePoint = codePointOf(chunk, i, length);
        i += length;
      }
      const id = codePoint < ids.length ? ids[codePoint] : NO_ID;
      if (id === NO_ID) this.#dropped += 1;
      else into[next++] = id;
    }
    return next - at;
  }

  /**
   * The error for the first character outside the vocabulary, or null if there is none.
   *
   * @param chunks the text without marks
   * @param counts its characters; line breaks that are replaced by the end of a document are not among them
   */
  async findUnknown(
    chunks: AsyncIterable<Uint8Array>,
    { counts }: Pick<TextFacts, "counts">,
  ): Promise<TokenError | null> {
    const place: { -readonly [Key in keyof TextPosition]: number } = { character: 1, line: 1, column: 1 };
    for await (const chunk of chunks) {
      for (let i = 0; i < chunk.length; ) {
        // Invalid UTF-8 means that the file changed after it was counted. `rereadBytes` reports that.
        const length = Math.max(1, sequenceLength(chunk, i));
        const codePoint = length === 1 ? chunk[i] : codePointOf(chunk, i, length);
        if (this.#idOf(codePoint) === NO_ID && counts.has(codePoint))
          return unknownCharacter(codePoint, this.#characters, place);
        i += length;
        place.character += 1;
        place.column = codePoint === LF ? 1 : place.column + 1;
        if (codePoint === LF) place.line += 1;
      }
    }
    return null;
  }

  #idOf(codePoint: number): number {
    return this.#ids === null || codePoint >= this.#ids.length ? NO_ID : this.#ids[codePoint];
  }
}

function idsByCodePoint(characters: string): Int32Array {
  const codePoints = Array.from(characters, (character) => character.codePointAt(0) ?? 0);
  const ids = new Int32Array(codePoints[codePoints.length - 1] + 1).fill(NO_ID);
  codePoints.forEach((codePoint, id) => {
    ids[codePoint] = id;
  });
  return ids;
}
