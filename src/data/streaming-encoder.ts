/** Tokenizes the bytes of a text chunk by chunk in constant memory. The ids equal those of the tokenizer's `encode`. */
import { DataError, type TokenError } from "../errors.ts";
import { type TextPosition, unknownCharacter } from "../text/char-tokenizer.ts";
import type { StreamingTextEncoder, Tokenizer } from "../text/tokenizer.ts";
import { codePointOf, sequenceLength } from "../text/utf8.ts";
import { DOCUMENT_END } from "./documents.ts";
import type { TextFacts } from "./text-stats.ts";

const NO_ID = -1;
const LF = 10;

/** Ids, valid until the next call. */
type Ids = ArrayLike<number>;

export class StreamingEncoder {
  /** The id of each code point, or NO_ID; null if the tokens are not characters. */
  readonly #ids: Int32Array | null;
  /** Encodes text; null if the tokens are characters or bytes, which need no context. */
  readonly #text: StreamingTextEncoder | null;
  /** The number of characters in the vocabulary. */
  readonly #characters: number;
  /** The id for the end of a document, or NO_ID. */
  readonly #endOfText: number;
  #dropped = 0;
  #room = new Int32Array(0);

  constructor(tokenizer: Tokenizer) {
    const data = tokenizer.toJSON();
    this.#characters = tokenizer.vocabSize - (tokenizer.endOfText === null ? 0 : 1);
    this.#endOfText = tokenizer.endOfText ?? NO_ID;
    this.#ids = data.kind === "char" ? idsByCodePoint(data.characters) : null;
    this.#text = data.kind === "char" || data.kind === "byte" ? null : tokenizer.encoder();
  }

  /** Whether the ids depend on more of the text than one character. */
  get needsContext(): boolean {
    return this.#text !== null;
  }

  /** The number of characters that `encode` has dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * The number of ids of a text with its documents marked, and of characters outside the vocabulary. The number of ids is
   * null if the text must be encoded to know it.
   */
  count({ bytes, characters, counts, documents }: TextFacts): {
    readonly tokens: number | null;
    readonly unknown: number;
  } {
    if (this.#text !== null) return { tokens: null, unknown: 0 };
    if (this.#ids === null) return { tokens: bytes, unknown: 0 };
    let unknown = 0;
    for (const [codePoint, count] of counts) if (this.#idOf(codePoint) === NO_ID) unknown += count;
    return { tokens: characters - unknown + documents, unknown };
  }

  /**
   * The ids that a chunk completes. Characters outside the vocabulary are dropped.
   *
   * @param chunk whole characters (see `wholeCharacters`)
   * @throws DataError if the chunk is not UTF-8
   */
  encode(chunk: Uint8Array): Ids {
    if (this.#text !== null) return this.#encodeText(this.#text, chunk);
    if (this.#room.length < chunk.length) this.#room = new Int32Array(chunk.length);
    return this.#ids === null ? this.#encodeBytes(chunk) : this.#encodeCharacters(this.#ids, chunk);
  }

  /** The ids at the end of a text. After that, another text can begin. */
  end(): Ids {
    return this.#text === null ? [] : this.#text.end();
  }

  #encodeText(text: StreamingTextEncoder, chunk: Uint8Array): Ids {
    const ids: number[] = [];
    for (let start = 0; start < chunk.length; ) {
      const mark = this.#endOfText === NO_ID ? -1 : chunk.indexOf(DOCUMENT_END, start);
      const end = mark < 0 ? chunk.length : mark;
      append(ids, text.push(decodeText(chunk.subarray(start, end))));
      if (mark < 0) break;
      append(ids, text.end());
      ids.push(this.#endOfText);
      start = mark + 1;
    }
    return ids;
  }

  #encodeBytes(chunk: Uint8Array): Ids {
    if (this.#endOfText === NO_ID) return chunk;
    const into = this.#room;
    into.set(chunk);
    // No byte of UTF-8 equals the mark.
    for (let i = 0; i < chunk.length; i++) if (chunk[i] === DOCUMENT_END) into[i] = this.#endOfText;
    return into.subarray(0, chunk.length);
  }

  #encodeCharacters(ids: Int32Array, chunk: Uint8Array): Ids {
    const into = this.#room;
    let next = 0;
    for (let i = 0; i < chunk.length; ) {
      let codePoint = chunk[i];
      if (codePoint < 0x80) i += 1;
      else if (codePoint === DOCUMENT_END && this.#endOfText !== NO_ID) {
        into[next++] = this.#endOfText;
        i += 1;
        continue;
      } else {
        const length = sequenceLength(chunk, i);
        if (length === 0) throw notUTF8(codePoint);
        codePoint = codePointOf(chunk, i, length);
        i += length;
      }
      const id = codePoint < ids.length ? ids[codePoint] : NO_ID;
      if (id === NO_ID) this.#dropped += 1;
      else into[next++] = id;
    }
    return into.subarray(0, next);
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

function append(ids: number[], more: ArrayLike<number>): void {
  for (let i = 0; i < more.length; i++) ids.push(more[i]);
}

/** @throws DataError if the bytes are not UTF-8 */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    let at = 0;
    while (sequenceLength(bytes, at) > 0) at += sequenceLength(bytes, at);
    throw notUTF8(bytes[at]);
  }
}

function notUTF8(byte: number): DataError {
  return new DataError(`text: byte 0x${byte.toString(16)} is not valid UTF-8 here`);
}

function idsByCodePoint(characters: string): Int32Array {
  const codePoints = Array.from(characters, (character) => character.codePointAt(0) ?? 0);
  const ids = new Int32Array(codePoints[codePoints.length - 1] + 1).fill(NO_ID);
  codePoints.forEach((codePoint, id) => {
    ids[codePoint] = id;
  });
  return ids;
}
