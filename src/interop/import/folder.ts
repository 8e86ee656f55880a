/** The files of a model from elsewhere. Its folder is untrusted: links are not followed, and names do not leave it. */
import { CheckpointError } from "../../errors.ts";
import type { Files } from "../../run/files.ts";
import { formatBytes } from "../../util/format.ts";
import { joinPath } from "../../util/paths.ts";
import { printableJson } from "../../util/printable.ts";
import { parseUntrustedJSON } from "../../util/untrusted-json.ts";

export const CONFIG = "config.json";
export const TOKENIZER = "tokenizer.json";
const WEIGHTS = "model.safetensors";
const INDEX = "model.safetensors.index.json";
/** Weights in Python's own formats, which run code when they are opened. */
const PICKLES = /\.(?:bin|pt|pth|ckpt)$/;
const INDEX_LIMIT = 1 << 24;
/** The largest tokenizer.json of today has 35 MB. */
const JSON_LIMIT = 1 << 26;

/** The files with weights, and in which of them the index places each tensor; null if there is only one. */
export function weightFiles(
  files: Files,
  folder: string,
): { readonly names: readonly string[]; readonly index: ReadonlyMap<string, string> | null } {
  if (files.exists(joinPath(folder, WEIGHTS))) return { names: [WEIGHTS], index: null };
  if (!files.exists(joinPath(folder, INDEX))) throw noWeights(files, folder);
  const index = new Map(readIndex(files, joinPath(folder, INDEX)));
  return { names: [...new Set(index.values())].sort(), index };
}

function readIndex(files: Files, file: string): [string, string][] {
  const json = readJSON(files, file, INDEX_LIMIT);
  const map: unknown =
    typeof json === "object" && json !== null && "weight_map" in json ? json.weight_map : null;
  if (typeof map !== "object" || map === null || Array.isArray(map))
    throw new CheckpointError(`${file}: expected \`weight_map\`, the file of each tensor`);
  return Object.entries(map).map(([tensor, name]): [string, string] => {
    // A separator or ".." would lead out of the folder.
    if (typeof name === "string" && /^[\w-][\w.-]*\.safetensors$/.test(name)) return [tensor, name];
    throw new CheckpointError(
      `${file}: places ${printableJson(tensor)} in ${printableJson(name ?? null)}, which is not the name of a file beside it`,
    );
  });
}

function noWeights(files: Files, folder: string): CheckpointError {
  const names = files.list(folder);
  const pickle = names.find((name) => PICKLES.test(name));
  const help =
    pickle === undefined
      ? `it holds ${
          names.length === 0
            ? "nothing"
            : names
                .slice(0, 8)
                .map((name) => printableJson(name))
                .join(", ")
        }`
      : `${printableJson(pickle)} is a pickle, which can run any code, so nopeek does not read it; docs/interop.md has a few lines of Python that turn it into safetensors`;
  return new CheckpointError(`${folder}: has neither ${WEIGHTS} nor ${INDEX}: ${help}`);
}

/** The size of a file of the folder. @throws CheckpointError if it is missing, or not a regular file */
export function regularFile(files: Files, file: string): number {
  const found = files.inspect(file);
  if (found?.type === "file") return found.bytes;
  if (found === null) throw new CheckpointError(`${file}: is not there`);
  const help =
    found.type === "link"
      ? "a link, which may lead anywhere; copy what it points to, as with cp -L"
      : `a ${found.type}`;
  throw new CheckpointError(`${file}: must be a file: it is ${help}`);
}

/** A JSON file of the folder. */
export function readJSON(files: Files, file: string, limit = JSON_LIMIT): unknown {
  return parseUntrustedJSON(readText(files, file, limit), file);
}

/** The same; null if it is missing. */
export function readOptionalJSON(files: Files, file: string): unknown {
  return files.exists(file) ? readJSON(files, file) : null;
}

function readText(files: Files, file: string, limit: number): string {
  const bytes = regularFile(files, file);
  if (bytes > limit)
    throw new CheckpointError(
      `${file}: has ${formatBytes(bytes)}, and a file of this name has at most ${formatBytes(limit)}`,
    );
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(files.read(file, limit));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new CheckpointError(`${file}: is not UTF-8`, { cause });
  }
}
