/**
 * The file operations that a run directory is made of: few, so that tests can stand in for a full disk or a process
 * that is killed at any moment. All at once and not `async`: between two of them nothing else of this program runs.
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

export interface Files {
  exists(path: string): boolean;
  /** The names in a folder, sorted. */
  list(folder: string): string[];
  read(file: string): Uint8Array;
  /** Creates or replaces a file; it is on the disk, not only in memory, when this returns. */
  write(file: string, bytes: Uint8Array): void;
  /** Adds to the end of a file, which may reach the disk later. */
  append(file: string, text: string): void;
  /** Puts on the disk what was appended. */
  flush(file: string): void;
  /** Creates a folder, and those that lead to it; their names are on the disk when this returns. */
  createFolder(folder: string): void;
  /** Puts on the disk which names a folder has: what was created in it, or renamed. */
  flushFolder(folder: string): void;
  /** At one moment; replaces a file. */
  rename(from: string, to: string): void;
  /** Removes a file or a whole folder, if it is there. */
  remove(path: string): void;
}

/** Not through a link: a run from elsewhere could lead it out of its folder. Windows has no such flag. */
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

/** The first folder that had to be made; nothing where all were there. */
function makeFolders(folder: string): string | undefined {
  try {
    return mkdirSync(folder, { recursive: true });
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    // Node says so of a read-only disk too; asked for one folder alone it says what is the matter.
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
    // Windows, and some network file systems, cannot flush a folder; they need not. Nor who may write in it, and not read.
    if (!["EPERM", "EISDIR", "EINVAL", "ENOTSUP", "EACCES"].includes(codeOf(error) ?? "")) throw error;
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

/** The same operations; a failure of the system becomes a CheckpointError that says what failed, where and why. */
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

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space, or use a folder on another disk",
  EDQUOT: "your disk quota is used up; free some space, or use a folder on another disk",
  EACCES: "permission denied; use a folder that you may read and write",
  EPERM: "permission denied; use a folder that you may read and write",
  EROFS: "the file system is read-only; use a folder on another one",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "a file of that name stands in the way",
  EISDIR: "it is a folder, not a file",
  ELOOP: "it is a link, which may lead anywhere; put a file in its place",
  ENOENT: "it is not there",
};

function attempt<T>(what: string, operation: () => T, consolation = ""): T {
  try {
    return operation();
  } catch (cause) {
    const reason = failureReason(cause);
    if (reason === null) throw cause;
    throw new CheckpointError(`cannot ${what}: ${reason}${consolation}`, { cause });
  }
}

/** Why the system failed, in words; null for what is no failure of the system. */
export function failureReason(error: unknown): string | null {
  const code = codeOf(error);
  if (!(error instanceof Error) || code === null) return null;
  return REASONS[code] ?? error.message;
}

/** "ENOSPC" and the like; null for what is no failure of the system. */
function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
