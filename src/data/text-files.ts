/** Reads the bytes of files, folders of files, and standard input in chunks, so texts can have any length. */
import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import { stat } from "node:fs/promises";
import { DataError } from "../errors.ts";
import { isOwnDescriptor, openRegular } from "../run/regular-file.ts";
import { concatenate, wholeCharacters } from "../text/utf8.ts";
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

/**
 * Lists the files at these paths. Files in a folder are sorted by name; hidden ones are skipped.
 *
 * @throws DataError if a folder contains no file, or cannot be listed
 */
export async function filesOf(paths: readonly string[]): Promise<TextFile[]> {
  return (await Promise.all(paths.map(filesAt))).flat();
}

async function filesAt(path: string): Promise<TextFile[]> {
  const found = await inspect(path);
  if (found.kind !== "folder") return [{ path, size: found.size }];
  const files = filesIn(path);
  if (files.length === 0) throw new DataError(`${path}: is a folder without files`);
  return files;
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
    if (path === STDIN) yield* stdin();
    else if (isOwnDescriptor(path))
      yield* chunksOf(openSync(path, "r"), Number.POSITIVE_INFINITY, chunkBytes);
    else {
      const { descriptor, bytes } = openRegular(path, "follow");
      yield* chunksOf(descriptor, bytes, chunkBytes);
    }
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new DataError(`${path}: ${reasonOf(cause)}`, { cause });
  }
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
