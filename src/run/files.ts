/**
 * The file operations of a run directory. They are few, so that tests can simulate a full disk or a process that is
 * killed at any moment, and synchronous, so that nothing else in this program runs between two of them.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { CheckpointError } from "../errors.ts";
import { errorCode, failureReason } from "../util/failure-reason.ts";
import { makeFolders } from "./make-folders.ts";
import { createAfresh, openToAppend, openToFlush, readPart, readRegular, using } from "./regular-file.ts";

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
  /** Reads at most `length` bytes of a regular file from `start` on, fewer at its end. */
  readPart(file: string, start: number, length: number): Uint8Array;
  /** Creates or replaces a file, and flushes it to disk. A link is replaced, not followed. */
  write(file: string, bytes: Uint8Array): void;
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
}

/** Links in a run are not followed: one in a foreign run could lead out of its directory. */
export const nodeFiles: Files = {
  exists: existsSync,
  list: (folder) => readdirSync(folder).sort(),
  inspect,
  read: (file, limit) => readRegular(file, limit, "refuse"),
  readPart: (file, start, length) => readPart(file, start, length, "refuse"),
  write: (file, bytes) => {
    const descriptor = createAfresh(file);
    try {
      writeFileSync(descriptor, bytes, { flush: true });
    } finally {
      closeSync(descriptor);
    }
  },
  append: (file, text) => using(openToAppend(file), ({ descriptor }) => writeFileSync(descriptor, text)),
  flush: (file) => using(openToFlush(file), ({ descriptor }) => fsyncSync(descriptor)),
  createFolder: (folder) => {
    for (const made of makeFolders(folder).reverse()) flushFolder(dirname(made));
  },
  flushFolder,
  rename: renameSync,
  remove: (path) => rmSync(path, { recursive: true, force: true }),
};

function inspect(path: string): Found | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  const type = found.isFile()
    ? "file"
    : found.isDirectory()
      ? "folder"
      : found.isSymbolicLink()
        ? "link"
        : "other";
  return { type, bytes: found.size };
}

function flushFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, "r");
    using({ descriptor, bytes: 0 }, () => fsyncSync(descriptor));
  } catch (error) {
    // Windows and some network file systems cannot flush a folder and need not; nor can a user without read permission.
    if (!["EPERM", "EISDIR", "EINVAL", "ENOTSUP", "EACCES"].includes(errorCode(error) ?? "")) throw error;
  }
}

/** Wraps the operations so that a system failure becomes a CheckpointError with the operation, the path and the reason. */
export function explainFailures(files: Files): Files {
  return {
    exists: (path) => attempt(`look for ${path}`, () => files.exists(path)),
    list: (folder) => attempt(`list ${folder}`, () => files.list(folder)),
    inspect: (path) => attempt(`look for ${path}`, () => files.inspect(path)),
    read: (file, limit) => attempt(`read ${file}`, () => files.read(file, limit)),
    readPart: (file, start, length) => attempt(`read ${file}`, () => files.readPart(file, start, length)),
    write: (file, bytes) => attempt(`write ${file}`, () => files.write(file, bytes), UNTOUCHED),
    append: (file, text) => attempt(`write ${file}`, () => files.append(file, text), UNTOUCHED),
    flush: (file) => attempt(`write ${file}`, () => files.flush(file), UNTOUCHED),
    createFolder: (folder) => attempt(`create ${folder}`, () => files.createFolder(folder), UNTOUCHED),
    flushFolder: (folder) => attempt(`write ${folder}`, () => files.flushFolder(folder), UNTOUCHED),
    rename: (from, to) => attempt(`rename ${from} to ${to}`, () => files.rename(from, to), UNTOUCHED),
    remove: (path) => attempt(`remove ${path}`, () => files.remove(path), UNTOUCHED),
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
