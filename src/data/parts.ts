/** The two parts of a text that is not split at its end: what to train on, and what to validate with. */
import type { DocumentsKind } from "../config/choices.ts";
import { DataError } from "../errors.ts";
import { Random } from "../random.ts";
import { DOCUMENT_END, markDocuments } from "./documents.ts";
import { nineTenths } from "./split.ts";
import type { TextFacts } from "./text-stats.ts";
import { shuffled } from "./window-order.ts";

/** Fixed, so that runs with different seeds are validated with the same documents. */
const SPLIT_SEED = 1;

/** The bytes of each part with its documents marked, again on each call. */
export interface Parts {
  training(): AsyncIterable<Uint8Array>;
  validation(): AsyncIterable<Uint8Array>;
}

export interface MarkedText {
  /** The bytes without marks, again on each call. */
  readonly bytes: () => AsyncIterable<Uint8Array>;
  readonly documents: DocumentsKind;
  /** The offset of each file's first byte, in order. */
  readonly fileStarts: readonly number[];
}

/** Validates with the bytes from `start` on, which begin a file. */
export function partsAt({ bytes, documents, fileStarts }: MarkedText, start: number): Parts {
  const later = fileStarts.filter((each) => each >= start).map((each) => each - start);
  return {
    training: () => markDocuments(range(bytes(), 0, start), documents, fileStarts),
    validation: () => markDocuments(range(bytes(), start, Number.POSITIVE_INFINITY), documents, later),
  };
}

/**
 * Validates with a tenth of the documents, rounded up, from anywhere in the text. Which ones depends on their number
 * only. The documents of each part stay in the order of the text.
 *
 * @param count the number of documents
 * @throws DataError unless there are at least two
 */
export function shuffledParts({ bytes, documents, fileStarts }: MarkedText, count: number): Parts {
  if (count < 2)
    throw new DataError(
      "`split` shuffle validates with a tenth of the documents: the text has only one; `documents` chooses what a document is",
    );
  const key = Random.of(SPLIT_SEED, "split").uint32();
  const validated = Math.ceil(count / 10);
  const isValidated = (document: number) => shuffled(document, count, key) < validated;
  const marked = () => markDocuments(bytes(), documents, fileStarts);
  return {
    training: () => documentsWhere(marked(), (document) => !isValidated(document)),
    validation: () => documentsWhere(marked(), isValidated),
  };
}

/**
 * Validates with the last tenth of the bytes: from the first start of a document on, as `documentBoundary` has it for byte
 * tokens, or without documents from the first start of a character.
 *
 * @param marked the bytes with their documents marked, again on each call
 */
export async function tailParts(
  marked: () => AsyncIterable<Uint8Array>,
  { bytes, documents }: Pick<TextFacts, "bytes" | "documents">,
): Promise<Parts> {
  const start = await tailStart(marked(), nineTenths(bytes), documents > 0);
  return {
    training: () => range(marked(), 0, start),
    validation: () => range(marked(), start, Number.POSITIVE_INFINITY),
  };
}

async function tailStart(
  chunks: AsyncIterable<Uint8Array>,
  wanted: number,
  hasDocuments: boolean,
): Promise<number> {
  let [at, previous] = [0, 0];
  let character: number | null = null;
  let [documentBefore, documentAfter]: (number | null)[] = [null, null];
  for await (const chunk of chunks) {
    for (const byte of chunk) {
      if (hasDocuments && previous === DOCUMENT_END) {
        if (at < wanted) documentBefore = at;
        else documentAfter ??= at;
      }
      if (at >= wanted && (byte & 0xc0) !== 0x80) character ??= at;
      previous = byte;
      at += 1;
    }
  }
  return documentAfter ?? documentBefore ?? character ?? at;
}

/** One after the other. */
export async function* inOrder({ training, validation }: Parts): AsyncGenerator<Uint8Array> {
  yield* training();
  yield* validation();
}

/** Bytes start … end−1. */
async function* range(
  chunks: AsyncIterable<Uint8Array>,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const chunk of chunks) {
    const piece = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (piece.length > 0) yield piece;
    at += chunk.length;
    if (at >= end) return;
  }
}

/** Those of the marked documents whose index is chosen, with their marks. */
async function* documentsWhere(
  chunks: AsyncIterable<Uint8Array>,
  isChosen: (document: number) => boolean,
): AsyncGenerator<Uint8Array> {
  let document = 0;
  let chosen: boolean | null = null;
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; ) {
      const mark = chunk.indexOf(DOCUMENT_END, start);
      const end = mark < 0 ? chunk.length : mark + 1;
      chosen ??= isChosen(document);
      if (chosen) yield chunk.subarray(start, end);
      start = end;
      if (mark < 0) break;
      document += 1;
      chosen = null;
    }
  }
}
