/**
 * The file operations of a run directory. They are few, so that tests can simulate a full disk or a process that is
 * killed at any moment, and a browser can keep a run in memory. They are synchronous, so that nothing else in this
 * program runs between two of them. Node's are in node-files.ts.
 */
import { CheckpointError } from "../errors.ts";
import { failureReason } from "../util/failure-reason.ts";

/** The contents of a file: whole, or in pieces that follow each other. */
export type Contents = Uint8Array | readonly Uint8Array[];

/** A regular file that is open. It stays the same file when another takes its name, or its name is removed. */
export interface OpenedFile {
  readonly bytes: number;
  /** Reads at most `length` bytes from `start` on, fewer at its end, into a new buffer. */
  readPart(start: number, length: number): Uint8Array;
}

/** What a path leads to. A link is not followed. */
export interface Found {
  readonly type: "file" | "folder" | "link" | "other";
  readonly bytes: number;
}

export interface Files {
  exists(path: string): boolean;
  /** The names in a folder, sorted. */
  list(folder: string): string[];
  /** What is at a path; null if nothing is. */
  inspect(path: string): Found | null;
  /**
   * Reads a regular file.
   *
   * @param limit the most bytes that it may have
   */
  read(file: string, limit: number): Uint8Array;
  /**
   * Opens a regular file for the time of a call.
   *
   * @param limit the most bytes that it may have
   */
  open<T>(file: string, limit: number, use: (opened: OpenedFile) => T): T;
  /** `readPart` of a file that is opened for this alone. */
  readPart(file: string, start: number, length: number): Uint8Array;
  /** Creates or replaces a file, and flushes it to disk. A link is replaced, not followed. */
  write(file: string, contents: Contents): void;
  /** Appends to a file, without flushing. */
  append(file: string, text: string): void;
  /** Flushes a file to disk. */
  flush(file: string): void;
  /** Creates a folder and its parents, and flushes their names to disk. */
  createFolder(folder: string): void;
  /** Flushes the names in a folder to disk, after files in it were created or renamed. */
  flushFolder(folder: string): void;
  /** Renames atomically; replaces a file. */
  rename(from: string, to: string): void;
  /** Removes a file or a whole folder, if it exists. */
  remove(path: string): void;
  /** The SHA-256 in hexadecimal. It is here because Node's is ten times as fast as one in JavaScript. */
  sha256(contents: Contents): string;
  /**
   * The SHA-256 of a regular file, of which only a part is in memory at a time.
   *
   * @param limit the most bytes that it may have
   */
  sha256Of(file: string, limit: number): string;
}

/** The pieces of contents: one, if they are whole. */
export function piecesOf(contents: Contents): readonly Uint8Array[] {
  return contents instanceof Uint8Array ? [contents] : contents;
}

/** Wraps the operations so that a system failure becomes a CheckpointError with the operation, the path and the reason. */
export function explainFailures(files: Files): Files {
  return {
    exists: (path) => attempt(`look for ${path}`, () => files.exists(path)),
    list: (folder) => attempt(`list ${folder}`, () => files.list(folder)),
    inspect: (path) => attempt(`look for ${path}`, () => files.inspect(path)),
    read: (file, limit) => attempt(`read ${file}`, () => files.read(file, limit)),
    open: (file, limit, use) => attempt(`read ${file}`, () => files.open(file, limit, use)),
    readPart: (file, start, length) => attempt(`read ${file}`, () => files.readPart(file, start, length)),
    write: (file, contents) => attempt(`write ${file}`, () => files.write(file, contents), UNTOUCHED),
    append: (file, text) => attempt(`write ${file}`, () => files.append(file, text), UNTOUCHED),
    flush: (file) => attempt(`write ${file}`, () => files.flush(file), UNTOUCHED),
    createFolder: (folder) => attempt(`create ${folder}`, () => files.createFolder(folder), UNTOUCHED),
    flushFolder: (folder) => attempt(`write ${folder}`, () => files.flushFolder(folder), UNTOUCHED),
    rename: (from, to) => attempt(`rename ${from} to ${to}`, () => files.rename(from, to), UNTOUCHED),
    remove: (path) => attempt(`remove ${path}`, () => files.remove(path), UNTOUCHED),
    sha256: (contents) => files.sha256(contents),
    sha256Of: (file, limit) => attempt(`read ${file}`, () => files.sha256Of(file, limit)),
  };
}

const UNTOUCHED = "; what was saved before is untouched";

function attempt<T>(what: string, operation: () => T, consolation = ""): T {
  try {
    return operation();
  } catch (cause) {
    const reason = failureReason(cause);
    if (reason === null) throw cause;
    throw new CheckpointError(`cannot ${what}: ${reason}${consolation}`, { cause });
  }
}
