/** Reads the bytes of files, folders of files, and standard input in chunks, so texts can have any length. */
import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import { stat } from "node:fs/promises";
import { relative, sep } from "node:path";
import { DataError } from "../errors.ts";
import { isOwnDescriptor, openRegular } from "../run/regular-file.ts";
import { concatenate, wholeCharacters } from "../text/utf8.ts";
import { decodedBytes } from "./decoded-bytes.ts";
import { matchesAny } from "./file-patterns.ts";
import { filesIn } from "./folder-files.ts";

/** The path that means standard input. */
export const STDIN = "-";
export const BYTE_ORDER_MARK: Uint8Array = Uint8Array.of(0xef, 0xbb, 0xbf);
const CHUNK_BYTES = 1 << 20;
const LF = 10;

export interface TextFile {
  readonly path: string;
  /** In bytes; null for sources that can be read only once: standard input, a pipe. */
  readonly size: number | null;
}

/** A file of a folder that is left out of the text, and why. */
export interface SkippedFile {
  readonly path: string;
  readonly why: "binary" | "empty" | "not in UTF-8" | "unreadable";
}

export interface FoundFiles {
  readonly files: readonly TextFile[];
  readonly skipped: readonly SkippedFile[];
}

/**
 * Lists the files at these paths. Files in a folder are sorted by name; hidden ones are left out, and those that are
 * not text are skipped. A file that is named itself is never skipped.
 *
 * @param include patterns for the files of folders (see file-patterns.ts); none: all files
 * @throws DataError if a folder contains no file of text
 */
export async function filesOf(
  paths: readonly string[],
  include: readonly string[] = [],
): Promise<FoundFiles> {
  const found = await Promise.all(paths.map((path) => filesAt(path, include)));
  return {
    files: found.flatMap(({ files }) => files),
    skipped: found.flatMap(({ skipped }) => skipped),
  };
}

async function filesAt(path: string, include: readonly string[]): Promise<FoundFiles> {
  const found = await inspect(path);
  if (found.kind !== "folder") return { files: [{ path, size: found.size }], skipped: [] };
  const files: TextFile[] = [];
  const skipped: SkippedFile[] = [];
  for (const file of filesIn(path)) {
    const below = relative(path, file.path).split(sep).join("/");
    if (include.length > 0 && !matchesAny(below, include)) continue;
    const why = await reasonToSkip(file.path);
    if (why === null) files.push(file);
    else skipped.push({ path: file.path, why });
  }
  if (files.length > 0) return { files, skipped };
  if (skipped.length > 0)
    throw new DataError(
      `${path}: is a folder without text: all ${skipped.length} files are skipped; ${skipped[0].path} is ${skipped[0].why}`,
    );
  const chosen = include.length > 0 ? ` that match ${include.join(" or ")}` : "";
  throw new DataError(`${path}: is a folder without files${chosen}`);
}

/** Why a file of a folder is not text, as far as its beginning shows; null if it is. */
async function reasonToSkip(path: string): Promise<SkippedFile["why"] | null> {
  try {
    for await (const chunk of wholeCharacters(bytesOfFile(path, CHUNK_BYTES, openStdin))) {
      if (chunk.length === 0) continue;
      // As git and grep decide: text has no zero byte.
      if (chunk.includes(0)) return "binary";
      return isUtf8(chunk) ? null : "not in UTF-8";
    }
    return "empty";
  } catch (error) {
    if (error instanceof DataError) return "unreadable";
    throw error;
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

async function inspect(path: string): Promise<{ kind: "file" | "folder" | "neither"; size: number | null }> {
  if (path === STDIN) return { kind: "neither", size: null };
  try {
    const found = await stat(path);
    if (found.isDirectory()) return { kind: "folder", size: null };
    return found.isFile() ? { kind: "file", size: found.size } : { kind: "neither", size: null };
  } catch {
    // Reading the file reports the reason.
    return { kind: "neither", size: null };
  }
}

/** Opens standard input. */
export type OpenStdin = () => AsyncIterable<Uint8Array>;

const openStdin: OpenStdin = () => createReadStream("", { fd: 0, autoClose: false });

/** Called before the first bytes of each file, with the length of its byte order mark: 3 or 0. */
export type OnFile = (file: TextFile, markLength: number) => void;

/**
 * The bytes of all files in order, as one text without byte order marks, in chunks that do not split characters. If
 * there are several files, each one ends with a line break. A chunk is valid only until the next one is read.
 *
 * @throws DataError if a file is missing, unreadable or empty
 */
export async function* bytesOfText(
  files: readonly TextFile[],
  onFile: OnFile,
  chunkBytes = CHUNK_BYTES,
  stdin = openStdin,
): AsyncGenerator<Uint8Array> {
  for (const file of files) {
    let last = -1;
    const unmarked = withoutMark(bytesOfFile(file.path, chunkBytes, stdin), (length) => onFile(file, length));
    for await (const chunk of wholeCharacters(unmarked)) {
      last = chunk[chunk.length - 1];
      yield chunk;
    }
    if (last < 0) throw new DataError(`${file.path}: is empty; a corpus needs text`);
    if (files.length > 1 && last !== LF) yield Uint8Array.of(LF);
  }
}

async function* withoutMark(
  chunks: AsyncIterable<Uint8Array>,
  onStart: (markLength: number) => void,
): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | null = new Uint8Array(0);
  for await (const chunk of chunks) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = concatenate(head, chunk);
    if (head.length < BYTE_ORDER_MARK.length) continue;
    const markLength: number = BYTE_ORDER_MARK.every((byte, i) => byte === head?.[i])
      ? BYTE_ORDER_MARK.length
      : 0;
    onStart(markLength);
    yield head.subarray(markLength);
    head = null;
  }
  if (head === null) return;
  onStart(0);
  yield head;
}

async function* bytesOfFile(path: string, chunkBytes: number, stdin: OpenStdin): AsyncGenerator<Uint8Array> {
  try {
    yield* decodedBytes(rawBytesOfFile(path, chunkBytes, stdin));
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if (cause instanceof DataError) throw new DataError(`${path}: ${cause.message}`, { cause });
    throw new DataError(`${path}: ${reasonOf(cause)}`, { cause });
  }
}

function rawBytesOfFile(
  path: string,
  chunkBytes: number,
  stdin: OpenStdin,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (path === STDIN) return stdin();
  if (isOwnDescriptor(path)) return chunksOf(openSync(path, "r"), Number.POSITIVE_INFINITY, chunkBytes);
  const { descriptor, bytes } = openRegular(path, "follow");
  return chunksOf(descriptor, bytes, chunkBytes);
}

/** @param bytes where to stop: the size of the file when it was opened, since some files in /proc never end */
function* chunksOf(descriptor: number, bytes: number, chunkBytes: number): Generator<Uint8Array> {
  try {
    const buffer = new Uint8Array(chunkBytes);
    for (let left = bytes; left > 0; ) {
      const got = readSync(descriptor, buffer, 0, Math.min(left, chunkBytes), null);
      if (got === 0) return;
      yield buffer.subarray(0, got);
      left -= got;
    }
  } finally {
    closeSync(descriptor);
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return "there is no such file; `data` takes text files, folders of them, or - for standard input; nopeek data lists texts that can be had";
    case "EISDIR":
      return "is a folder; `data` takes the path of one text file";
    case "ENOTDIR":
      return "a part of the path is a file, not a folder; `data` takes the path of a text file";
    case "NOT_A_FILE":
    case "ENXIO":
      return "is a pipe or a device, not a file; to read a pipe, connect it to standard input, -";
    case "EACCES":
      return "you do not have permission to read it; check its permissions";
    default:
      return `cannot be read: ${error.message}`;
  }
}
