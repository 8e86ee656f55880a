/** JSON files of a run: written for people to read, and checked when they are read. */
import * as z from "zod/mini";
import { CheckpointError } from "../errors.ts";
import { nestsTooDeep } from "../util/json-depth.ts";
import type { Files } from "./files.ts";

const headLayout = z.looseObject({ format: z.string(), version: z.int() });

/**
 * A value as an indented JSON file.
 *
 * @param where the file, for messages
 * @throws CheckpointError for a number that is not finite
 */
export function encodeJSON(value: unknown, where: string): Uint8Array {
  const text = JSON.stringify(
    value,
    (key, field: unknown) => {
      // JSON has no such number and would quietly write null.
      if (typeof field !== "number" || Number.isFinite(field)) return field;
      throw new CheckpointError(`${where}: "${key}" must be a finite number to be saved: got ${field}`);
    },
    2,
  );
  return new TextEncoder().encode(`${text}\n`);
}

/**
 * Reads a JSON file of a run.
 *
 * @param limit the most bytes that it may have
 * @throws CheckpointError when the file is not JSON, or has another `format` or `version`
 */
export function readJSON(files: Files, file: string, limit: number, format: string, version: number) {
  let value: unknown;
  try {
    const json = new TextDecoder("utf-8", { fatal: true }).decode(files.read(file, limit));
    if (nestsTooDeep(json)) throw new CheckpointError(`${file}: is damaged: it nests too deep`);
    value = JSON.parse(json);
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    throw new CheckpointError(`${file}: is damaged: it is not JSON`, { cause });
  }
  const head = headLayout.safeParse(value);
  if (!head.success || head.data.format !== format) {
    throw new CheckpointError(`${file}: should begin with "format": "${format}" and a version, and does not`);
  }
  if (head.data.version !== version) {
    throw new CheckpointError(
      `${file}: has format version ${head.data.version}; this nopeek reads version ${version}: use the nopeek that wrote it`,
    );
  }
  return head.data;
}
