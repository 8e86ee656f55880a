/**
 * The file operations of a run directory. They are few, so that tests can simulate a full disk or a process that is
 * killed at any moment, and synchronous, so that nothing else in this program runs between two of them.
 */
import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { CheckpointError } from "../errors.ts";
import { errorCode, failureReason } from "../util/failure-reason.ts";

export interface Files {
  exists(path: string): boolean;
  /** The names in a folder, sorted. */
  list(folder: string): string[];
  read(file: string): Uint8Array;
  /** Creates or replaces a file, and flushes it to disk. */
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

/** Links are not followed: one in a foreign run could lead out of its directory. Windows has no such flag. */
const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW = 0 } = constants;
const APPEND = O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW;

export const nodeFiles: Files = {
  exists: existsSync,
  list: (folder) => readdirSync(folder).sort(),
  read: (file) => readFileSync(file),
  write: (file, bytes) => writeFileSync(file, bytes, { flush: true }),
  append: (file, text) => {
    const descriptor = openSync(file, APPEND);
    try {
      writeFileSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
  },
  flush: (file) => flushOpened(file, "r+"),
  createFolder: (folder) => {
    const first = makeFolders(folder);
    if (first === undefined) return;
    const highest = dirname(resolve(first));
    for (let at = resolve(folder); at !== highest; at = dirname(at)) flushFolder(dirname(at));
  },
  flushFolder,
  rename: renameSync,
  remove: (path) => rmSync(path, { recursive: true, force: true }),
};

/** Creates a folder and its parents. Returns the first one that was missing, if any. */
function makeFolders(folder: string): string | undefined {
  try {
    return mkdirSync(folder, { recursive: true });
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    // Node reports this for a read-only disk too; creating a single folder gives the real reason.
    let missing = resolve(folder);
    while (!existsSync(dirname(missing))) missing = dirname(missing);
    mkdirSync(missing);
    return mkdirSync(folder, { recursive: true }) ?? missing;
  }
}

function flushFolder(folder: string): void {
  try {
    flushOpened(folder, "r");
  } catch (error) {
    // Windows and some network file systems cannot flush a folder and need not; nor can a user without read permission.
    if (!["EPERM", "EISDIR", "EINVAL", "ENOTSUP", "EACCES"].includes(errorCode(error) ?? "")) throw error;
  }
}

function flushOpened(path: string, mode: "r" | "r+"): void {
  const descriptor = openSync(path, mode);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Wraps the operations so that a system failure becomes a CheckpointError with the operation, the path and the reason. */
export function explainFailures(files: Files): Files {
  return {
    exists: (path) => attempt(`look for ${path}`, () => files.exists(path)),
    list: (folder) => attempt(`list ${folder}`, () => files.list(folder)),
    read: (file) => attempt(`read ${file}`, () => files.read(file)),
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
