/** Writes an export: the folder is there with all its files, or not at all. */
import { basename, dirname, resolve } from "node:path";
import { CheckpointError } from "../../../errors.ts";
import type { ExportedFile } from "../../../interop/portable-model.ts";
import { explainFailures, type Files } from "../../../run/files.ts";
import { hiddenPath } from "../../../run/layout.ts";
import { nodeFiles } from "../../../run/node-files.ts";
import { joinPath } from "../../../util/paths.ts";

/** @throws CheckpointError if there is anything at the path */
export function checkNewFolder(folder: string, given: Files = nodeFiles): void {
  if (folder.trim() === "") throw new CheckpointError("`out` needs the name of a folder: got an empty one");
  if (explainFailures(given).inspect(resolve(folder)) === null) return;
  throw new CheckpointError(
    `${folder}: exists already, and an export replaces nothing; name a new folder with \`out\``,
  );
}

/**
 * Writes files into a new folder. They are written under a hidden name, which is then renamed.
 *
 * @throws CheckpointError if the folder exists, or cannot be written; then nothing of it is left
 */
export function writeNewFolder(
  folder: string,
  contents: readonly ExportedFile[],
  given: Files = nodeFiles,
): void {
  checkNewFolder(folder, given);
  const files = explainFailures(given);
  const path = resolve(folder);
  const parent = dirname(path);
  const partial = hiddenPath(parent, basename(path), "partial");
  files.remove(partial);
  try {
    files.createFolder(partial);
    for (const { name, bytes } of contents) {
      const file = joinPath(partial, name);
      if (name.includes("/")) files.createFolder(dirname(file));
      files.write(file, bytes);
    }
    files.flushFolder(partial);
    files.rename(partial, path);
  } catch (error) {
    files.remove(partial);
    throw error;
  }
  files.flushFolder(parent);
}
