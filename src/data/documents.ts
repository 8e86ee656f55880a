/**
 * Documents of a text, such as the names, tunes or messages of a list. The bytes that end a document are replaced by
 * one byte that UTF-8 never has, which encodes to the tokenizer's end token.
 */
import type { DocumentsKind } from "../config/choices.ts";

/** Marks the end of a document among the bytes of a text. */
export const DOCUMENT_END = 0xff;
const [LF, CR] = [10, 13];

/**
 * Marks the end of each document, chunk by chunk. There are no empty documents, and the last one always ends.
 *
 *   lines       the line breaks (LF, CR LF or CR) are replaced; empty lines are left out
 *   paragraphs  two or more line breaks in a row are replaced
 *   files       the mark follows the last byte of a file
 *
 * A file also ends a line and a paragraph.
 */
export class DocumentMarker {
  readonly #kind: DocumentsKind;
  /** The offsets of the files' first bytes, in order, and the next of them to be reached. */
  readonly #fileStarts: readonly number[];
  #nextFile = 0;
  #position = 0;
  /** Whether the current document has any bytes. */
  #isOpen = false;
  /** The line breaks since the last other byte. From the second on, they end a paragraph and are not kept. */
  #breaks: number[] = [];
  #breakCount = 0;
  #out = new Uint8Array(0);
  #length = 0;

  constructor(kind: DocumentsKind, fileStarts: readonly number[]) {
    this.#kind = kind;
    this.#fileStarts = fileStarts;
  }

  /** @returns valid until the next call */
  push(chunk: Uint8Array): Uint8Array {
    // Each byte may be preceded by a mark, and two held line breaks may come before the first.
    this.#begin(2 * chunk.length + 2);
    for (const byte of chunk) {
      if (this.#position === this.#fileStarts[this.#nextFile]) {
        this.#endDocument();
        this.#nextFile += 1;
      }
      this.#position += 1;
      const isBreak = byte === LF || byte === CR;
      if (!isBreak || this.#kind === "files") this.#add(byte);
      else if (this.#kind === "lines") this.#endDocument();
      else this.#hold(byte);
    }
    return this.#out.subarray(0, this.#length);
  }

  /** The mark of the last document, if it has not ended. */
  end(): Uint8Array {
    this.#begin(1);
    this.#endDocument();
    return this.#out.subarray(0, this.#length);
  }

  #begin(most: number): void {
    if (this.#out.length < most) this.#out = new Uint8Array(most);
    this.#length = 0;
  }

  #add(byte: number): void {
    if (this.#breakCount > 1) this.#endDocument();
    if (this.#isOpen) for (const each of this.#breaks) this.#out[this.#length++] = each;
    this.#forgetBreaks();
    this.#out[this.#length++] = byte;
    this.#isOpen = true;
  }

  #hold(byte: number): void {
    const completesPair = byte === LF && this.#breaks.at(-1) === CR && this.#breaks.length === 1;
    if (!completesPair) this.#breakCount += 1;
    if (this.#breakCount === 1) this.#breaks.push(byte);
  }

  #endDocument(): void {
    if (this.#isOpen) this.#out[this.#length++] = DOCUMENT_END;
    this.#isOpen = false;
    this.#forgetBreaks();
  }

  #forgetBreaks(): void {
    this.#breaks = [];
    this.#breakCount = 0;
  }
}

/**
 * The bytes of a text with its documents marked.
 *
 * @param fileStarts the offset of each file's first byte, in order
 */
export async function* markDocuments(
  chunks: AsyncIterable<Uint8Array>,
  kind: DocumentsKind,
  fileStarts: readonly number[],
): AsyncGenerator<Uint8Array> {
  if (kind === "none") {
    yield* chunks;
    return;
  }
  const marker = new DocumentMarker(kind, fileStarts);
  for await (const chunk of chunks) yield marker.push(chunk);
  yield marker.end();
}
