/** Makes a folder and its parents. */
import { mkdirSync, statSync } from "node:fs";
import { dirname, normalize } from "node:path";
import { errorCode } from "../util/failure-reason.ts";

/**
 * Makes a folder and its missing parents. Node's recursive mkdir is not used: it never ends in a deleted folder, and in
 * places such as /proc where the system reports a missing parent for a folder that exists.
 *
 * @returns the folders that were missing, outermost first
 * @throws a system error; its message says which folder cannot hold another
 */
export function makeFolders(folder: string): string[] {
  if (folder === "") throw failure("NO_NAME", "its name is empty");
  const missing: string[] = [];
  let at = normalize(folder);
  for (; !isFolder(at); at = dirname(at)) {
    missing.unshift(at);
    if (dirname(at) === at) break;
  }
  for (const path of missing) makeOne(path, path === missing.at(-1));
  return missing;
}

function makeOne(path: string, last: boolean): void {
  try {
    mkdirSync(path);
  } catch (cause) {
    const code = errorCode(cause);
    // Another process may have made it meanwhile.
    if (code === "EEXIST" && isFolder(path)) return;
    if (code === "EEXIST" && !last) throw failure("ENOTDIR", `${path} is not a folder`, cause);
    if (code !== "ENOENT") throw cause;
    const parent = dirname(path) === "." ? "the current folder" : dirname(path);
    throw failure("NO_PARENT", `${parent} cannot hold a folder, or was deleted`, cause);
  }
}

/** An error with a code, like those of the system. */
function failure(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (errorCode(error) === null) throw error;
    return false;
  }
}
