/** Reads a text: a first pass over its bytes counts and hashes them; a second pass provides them for tokenizing. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { DocumentsKind, SplitName } from "../config/choices.ts";
import { DataError } from "../errors.ts";
import { DocumentMarker, markDocuments } from "./documents.ts";
import { inOrder, type Parts, partsAt, shuffledParts, tailParts } from "./parts.ts";
import { ReplayableBytes } from "./replayable-bytes.ts";
import { knownFloor } from "./tales.ts";
import {
  BYTE_ORDER_MARK,
  bytesOfText,
  filesOf,
  type OpenStdin,
  type SkippedFile,
  type TextFile,
} from "./text-files.ts";
import { type TextFacts, TextScanner } from "./text-stats.ts";
import { type CachePlace, IN_MEMORY_ONLY } from "./token-cache.ts";

export interface Corpus {
  /** The display name. */
  readonly path: string;
  /** The paths it was read from, as given. */
  readonly paths: readonly string[];
  readonly files: readonly TextFile[];
  /** Of the text, whatever its documents are. */
  readonly sha256: string;
  readonly facts: TextFacts;
  readonly documents: DocumentsKind;
  readonly split: SplitName;
  /** The paths of the text to validate with, if it is separate. */
  readonly validation: readonly string[];
  /** The patterns for files of folders. */
  readonly include: readonly string[];
  /** Files of folders that are not text. */
  readonly skipped: readonly SkippedFile[];
  /** The statistics of the part to train on, with its documents marked; null if the text is split at its end. */
  readonly training: TextFacts | null;
  /** The statistics of what is tokenized: the text with its documents marked. */
  readonly marked: TextFacts;
  /** Its bytes again, in chunks of whole characters. @throws DataError if the text has changed */
  bytes(): AsyncIterable<Uint8Array>;
  /** The same with the ends of documents marked, and what to validate with at the end. */
  markedBytes(): AsyncIterable<Uint8Array>;
  /** What to train on and what to validate with, for tokens that need to know before they are counted. */
  parts(): Promise<Parts>;
  /** Frees the memory or file that holds the bytes for rereading. */
  release(): void;
}

export interface ReadOptions {
  /** Called with the number of bytes read so far. */
  readonly onProgress?: (bytes: number) => void;
  readonly chunkBytes?: number | undefined;
  /** Opens standard input. Default: descriptor 0. */
  readonly stdin?: OpenStdin | undefined;
  /** What a document is. Default: none. */
  readonly documents?: DocumentsKind;
  /** Default: tail. */
  readonly split?: SplitName;
  /** Paths of a separate text to validate with. Default: none. */
  readonly validation?: readonly string[] | undefined;
  /** Patterns for the files of folders. Default: all files. */
  readonly include?: readonly string[] | undefined;
}

/** The tales bundled with nopeek. */
export const TALES_PATH = fileURLToPath(new URL("../../data/tales.txt", import.meta.url));
const TALES_FACTS_PATH = fileURLToPath(new URL("../../data/tales.json", import.meta.url));

/** Reads a short text into memory. Throws like `readTexts`. */
export function readCorpus(path: string): Promise<Corpus> {
  return readTexts([path], IN_MEMORY_ONLY);
}

/**
 * Concatenates files, all files in folders, and standard input into one text, in the order given. Files in a folder are
 * sorted by name; hidden ones are skipped. If there are several files, each one ends with a line break.
 *
 * @throws DataError if one is missing, unreadable, empty or not UTF-8, or a folder contains no file
 */
export async function readTexts(
  paths: readonly string[],
  place: CachePlace,
  {
    onProgress = () => {},
    chunkBytes,
    stdin,
    documents = "none",
    split = "tail",
    validation = [],
    include = [],
  }: ReadOptions = {},
): Promise<Corpus> {
  const { files: ownFiles, skipped } = await filesOf(paths, include);
  const files = [...ownFiles, ...(await filesOf(validation)).files];
  // A large text is read from its files again. Otherwise the bytes are stored, because a pipe can be read only once.
  const replayable = isLarge(files, place) ? null : new ReplayableBytes(place);
  const hash = new TextHash(files);
  const scanner = new TextScanner();
  const markedScanner = new TextScanner(true);
  const fileStarts: number[] = [];
  const marker = documents === "none" ? null : new DocumentMarker(documents, fileStarts);
  let [current, fileBytes, textBytes] = [files[0], 0, 0];
  const onFile = (file: TextFile, markLength: number) => {
    hash.start(markLength);
    fileStarts.push(textBytes);
    [current, fileBytes] = [file, markLength];
  };
  for await (const chunk of bytesOfText(files, onFile, chunkBytes, stdin)) {
    const wrong = scanner.push(chunk);
    if (wrong >= 0) throw notUTF8(current.path, chunk, wrong, fileBytes + wrong);
    hash.update(chunk);
    replayable?.push(chunk);
    if (marker !== null) markedScanner.push(marker.push(chunk));
    fileBytes += chunk.length;
    textBytes += chunk.length;
    onProgress(textBytes);
  }
  const sha256 = hash.digest();
  const facts = scanner.facts();
  if (marker !== null) markedScanner.push(marker.end());
  const marked = marker === null ? facts : markedScanner.facts();
  if (marker !== null && marked.documents === 0)
    throw new DataError(`${paths.join(", ")}: has no document: all its lines are empty`);
  const bytes = () => replayable?.bytes() ?? rereadBytes(files, sha256, chunkBytes);
  const text = { bytes, documents, fileStarts };
  const parts =
    validation.length > 0
      ? partsAt(text, fileStarts[ownFiles.length])
      : split === "shuffle"
        ? shuffledParts(text, marked.documents)
        : null;
  const markedWhole = () => markDocuments(bytes(), documents, fileStarts);
  let tailOnce: Promise<Parts> | null = null;
  const tail = () => {
    tailOnce ??= tailParts(markedWhole, marked);
    return tailOnce;
  };
  return {
    path: paths.join(", "),
    paths,
    files: ownFiles,
    sha256,
    facts,
    documents,
    split,
    validation,
    include,
    skipped,
    training: parts === null ? null : await factsOf(parts.training()),
    marked,
    bytes,
    markedBytes: () => (parts === null ? markedWhole() : inOrder(parts)),
    parts: async () => parts ?? (await tail()),
    release: () => replayable?.release(),
  };
}

/** Whether a text is known to be too large for memory, before reading it. */
export function isLarge(files: readonly TextFile[], { inMemoryBytes }: CachePlace): boolean {
  return files.every(({ size }) => size !== null) && sizeOf(files) > inMemoryBytes;
}

/** The total size in bytes, without pipes. */
export function sizeOf(files: readonly TextFile[]): number {
  return files.reduce((sum, { size }) => sum + (size ?? 0), 0);
}

/** The statistics of a text with its documents marked. */
async function factsOf(chunks: AsyncIterable<Uint8Array>): Promise<TextFacts> {
  const scanner = new TextScanner(true);
  for await (const chunk of chunks) scanner.push(chunk);
  return scanner.facts();
}

async function* rereadBytes(files: readonly TextFile[], sha256: string, chunkBytes?: number) {
  const hash = new TextHash(files);
  for await (const chunk of bytesOfText(files, (_, length) => hash.start(length), chunkBytes)) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest() !== sha256)
    throw new DataError(
      `${files.map(({ path }) => path).join(", ")}: changed while it was being read; start again`,
    );
}

/** SHA-256 of one file including its byte order mark, or of the text that several files form. */
class TextHash {
  readonly #hash = createHash("sha256");
  readonly #marks: boolean;

  constructor(files: readonly TextFile[]) {
    this.#marks = files.length === 1;
  }

  start(markLength: number): void {
    if (this.#marks && markLength > 0) this.#hash.update(BYTE_ORDER_MARK);
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}

function notUTF8(where: string, chunk: Uint8Array, at: number, place: number): DataError {
  const byte = chunk[at].toString(16).padStart(2, "0");
  return new DataError(
    `${where}: is not valid UTF-8 at byte ${place} (0x${byte}); it may be in another encoding, such as Latin-1, or not be text: convert it to UTF-8 first, for example with iconv -f LATIN1 -t UTF-8`,
  );
}

/** `knownFloor` of tales.ts, with the facts about the bundled tales. */
export async function entropyFloor(sha256: string): Promise<number | null> {
  return knownFloor(sha256, JSON.parse(await readFile(TALES_FACTS_PATH, "utf8")));
}
