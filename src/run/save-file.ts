/** Replaces a file that a user named. */
import { closeSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createAfresh } from "./regular-file.ts";

/**
 * Writes a file completely or not at all: under a temporary name, which is then renamed. If there is a link at `path`,
 * the link is replaced and its target stays as it is.
 *
 * @throws a system error, which `failureReason` explains
 */
export function saveFile(path: string, contents: Uint8Array | string): void {
  const partial = `${path}.partial`;
  const descriptor = createAfresh(partial);
  try {
    try {
      writeFileSync(descriptor, contents, { flush: true });
    } finally {
      closeSync(descriptor);
    }
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}
