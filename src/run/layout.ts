/**
 * The layout of a run directory and how to read it: the config, the pointers, the checkpoints, and the hidden names used
 * while writing (see directory.ts). The functions take `Files` from `explainFailures`.
 */
import { CheckpointError } from "../errors.ts";
import { joinPath } from "../util/paths.ts";
import { stepOfName } from "./checkpoint.ts";
import type { Files } from "./files.ts";
import { encodeJSON, readJSON } from "./json.ts";
import { isLockName } from "./lock-files.ts";

export type Pointer = "latest" | "best";

const FORMAT = "nopeek run";
const VERSION = 1;
/** A tokenizer.json that came with a model takes up to 35 MB. */
const CONFIG_LIMIT = 1 << 26;
const POINTER_LIMIT = 4096;
/** More than any program saves checkpoints while another one reads the first. */
const ATTEMPTS = 10;
export const CONFIG = "config.json";
export const LOG = "log.jsonl";
const HIDDEN = /^\.(.+)\.(partial|replaced|removed)$/;

/** The path of `name` while it is being written, replaced or removed. */
export function hiddenPath(run: string, name: string, doing: "partial" | "replaced" | "removed"): string {
  return joinPath(run, `.${name}.${doing}`);
}

/** The names in a directory that say that it is in use; not the remains of a run that was killed at its start. */
function contentsOf(files: Files, run: string): string[] {
  return files.list(run).filter((name) => !HIDDEN.test(name) && !isLockName(name));
}

/** @throws CheckpointError when an existing directory is not empty */
export function checkEmpty(files: Files, run: string): void {
  const names = contentsOf(files, run);
  if (names.includes(CONFIG)) {
    const steps = listSteps(files, run);
    const saved = steps.length === 0 ? "without a saved step" : `saved up to ${steps[steps.length - 1]}`;
    throw new CheckpointError(
      `${run}: already holds a run, ${saved}; resume it with \`resume\`, or choose another folder with \`out\``,
    );
  }
  if (names.length > 0) {
    throw new CheckpointError(
      `${run}: holds other files (${some(names)}); choose an empty or a new folder with \`out\``,
    );
  }
}

export function writeConfig(files: Files, run: string, config: unknown): void {
  replaceFile(files, run, CONFIG, encodeJSON({ format: FORMAT, version: VERSION, config }, CONFIG));
}

/** @throws CheckpointError when there is no run, or one of another version */
export function readConfig(files: Files, run: string): unknown {
  if (!files.exists(run)) throw new CheckpointError(`${run}: there is no such folder; is the path right?`);
  const file = joinPath(run, CONFIG);
  if (!files.exists(file)) {
    if (files.inspect(run)?.type === "folder" && contentsOf(files, run).length === 0) {
      throw new CheckpointError(
        `${run}: is empty: a run that was to start here ended before its first step; start it again, without \`resume\``,
      );
    }
    throw new CheckpointError(
      `${run}: is not a run: it has no ${CONFIG}; name the folder that \`out\` named`,
    );
  }
  return readJSON(files, file, CONFIG_LIMIT, FORMAT, VERSION).config;
}

/** The names of the step directories, oldest first. */
export function listSteps(files: Files, run: string): string[] {
  const step = (name: string) => stepOfName(name) ?? -1;
  return files
    .list(run)
    .filter((name) => step(name) >= 0)
    .sort((a, b) => step(a) - step(b));
}

/** The step directory that a pointer names; null if there is no such pointer. */
export function readPointer(files: Files, run: string, pointer: Pointer): string | null {
  const file = joinPath(run, pointer);
  if (!files.exists(file)) return null;
  const name = new TextDecoder().decode(files.read(file, POINTER_LIMIT)).trim();
  if (stepOfName(name) !== null) return name;
  throw new CheckpointError(
    `${file}: should hold the name of a step directory, like step-000500: got ${JSON.stringify(name.slice(0, 40))}; ` +
      `these are there: ${some(listSteps(files, run))}`,
  );
}

/**
 * Reads a checkpoint. If it is missing or damaged, the error lists the intact ones.
 *
 * @param which a pointer, or the name of a step directory
 * @param read  reads a step directory, and throws a CheckpointError if it is damaged
 */
export function readStep<Value extends { readonly step: number }>(
  files: Files,
  run: string,
  which: string,
  read: (files: Files, folder: string) => Value,
): { readonly name: string; readonly folder: string; readonly value: Value } {
  // A program that trains may move the pointer and remove or replace the step meanwhile. A failure that comes twice is
  // damage.
  for (let attempt = 1, before: string | null = null; ; attempt++) {
    const name = isPointer(which) ? readPointer(files, run, which) : which;
    if (name === null) throw nothingSaved(files, run, which, read);
    try {
      return readNamed(files, run, name, read);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      const { message } = error;
      if (message !== before && attempt < ATTEMPTS) {
        before = message;
        continue;
      }
      const others = listSteps(files, run).filter((other) => other !== name);
      throw new CheckpointError(`${message}${suggest(files, run, which, others, read)}`, { cause: error });
    }
  }
}

function nothingSaved(
  files: Files,
  run: string,
  which: string,
  read: (files: Files, folder: string) => unknown,
): CheckpointError {
  const steps = listSteps(files, run);
  const why = steps.length === 0 ? "no step was saved yet" : `it has no file "${which}"`;
  return new CheckpointError(`${run}: ${why}${suggest(files, run, which, steps, read)}`);
}

/** Removes partial files of a killed program, and restores those that it had moved aside. */
export function tidy(files: Files, run: string): void {
  for (const entry of files.list(run)) {
    const [, name, doing] = HIDDEN.exec(entry) ?? [];
    if (name === undefined || !(name === CONFIG || isPointer(name) || stepOfName(name) !== null)) continue;
    const isTheOnlyCopy = doing === "replaced" && !files.exists(joinPath(run, name));
    if (isTheOnlyCopy) files.rename(joinPath(run, entry), joinPath(run, name));
    else files.remove(joinPath(run, entry));
  }
}

/** Replaces a file atomically: it has its old bytes or its new ones, and the new ones are on disk on return. */
export function replaceFile(files: Files, run: string, name: string, bytes: Uint8Array): void {
  const partial = hiddenPath(run, name, "partial");
  files.write(partial, bytes);
  files.rename(partial, joinPath(run, name));
  files.flushFolder(run);
}

function readNamed<Value extends { readonly step: number }>(
  files: Files,
  run: string,
  name: string,
  read: (files: Files, folder: string) => Value,
): { name: string; folder: string; value: Value } {
  if (stepOfName(name) === null) {
    throw new CheckpointError(`${run}: a step is named like step-000500: got ${JSON.stringify(name)}`);
  }
  const folder = [joinPath(run, name), hiddenPath(run, name, "replaced")].find((path) => files.exists(path));
  if (folder === undefined) throw new CheckpointError(`${run}: has no step ${name}`);
  if (files.inspect(folder)?.type === "link") {
    throw new CheckpointError(`${folder}: is a link, which may lead anywhere; put the folder in its place`);
  }
  const value = read(files, folder);
  if (value.step !== stepOfName(name)) {
    throw new CheckpointError(`${folder}: holds step ${value.step}; was it renamed?`);
  }
  return { name, folder, value };
}

/** Names the intact checkpoints and how to use one, for the end of a message. */
function suggest(
  files: Files,
  run: string,
  which: string,
  names: readonly string[],
  read: (files: Files, folder: string) => unknown,
): string {
  const whole = names.filter((name) => isWhole(files, joinPath(run, name), read));
  if (whole.length === 0) return names.length === 0 ? "" : "; no other step here is whole";
  return `; whole steps here: ${some(whole)}; to use one, write its name into ${joinPath(run, isPointer(which) ? which : "latest")}`;
}

function isWhole(files: Files, folder: string, read: (files: Files, folder: string) => unknown): boolean {
  try {
    read(files, folder);
    return true;
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
}

function isPointer(name: string): name is Pointer {
  return name === "latest" || name === "best";
}

/** The last few names, for a message. */
function some(names: readonly string[]): string {
  return names.length <= 5 ? names.join(", ") : `…, ${names.slice(-5).join(", ")}`;
}
