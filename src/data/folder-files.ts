/** Lists the files in a folder and its subfolders. */
import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import { errorCode, failureReason } from "../util/failure-reason.ts";

/** Listing more takes minutes, as in / or /proc. */
const MOST_ENTRIES = 1_000_000;

export interface FoundFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

/**
 * The regular files in a folder, and those that links in it lead to, sorted by their path. Hidden files and folders are
 * skipped; links to folders are not followed.
 *
 * @param limit the most files and folders that it may hold
 * @throws DataError if a folder cannot be listed, or holds more
 */
export function filesIn(folder: string, limit: number = MOST_ENTRIES): FoundFile[] {
  const names: string[] = [];
  const left = [""];
  let entries = 0;
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    for (const entry of entriesOf(join(folder, at))) {
      entries += 1;
      if (entries > limit)
        throw new DataError(
          `${folder}: holds more than ${limit} files and folders; name a part of it, or join the files into one`,
        );
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) left.push(join(at, entry.name));
      else names.push(join(at, entry.name));
    }
  }
  return names.sort().flatMap((name) => {
    const path = join(folder, name);
    const found = attempt(path, () => statSync(path, { throwIfNoEntry: false }));
    return found?.isFile() ? [{ path, size: found.size }] : [];
  });
}

/** Nothing if the folder was removed meanwhile. */
function entriesOf(folder: string): Dirent[] {
  return attempt(folder, () => readdirSync(folder, { withFileTypes: true })) ?? [];
}

/** Calls a file operation; undefined if the file is gone or a link in a circle. @throws DataError if it fails otherwise */
function attempt<T>(path: string, operation: () => T): T | undefined {
  try {
    return operation();
  } catch (cause) {
    const reason = failureReason(cause);
    if (reason === null) throw cause;
    if (["ENOENT", "ELOOP"].includes(errorCode(cause) ?? "")) return undefined;
    throw new DataError(`${path}: cannot be read: ${reason}`, { cause });
  }
}
