/**
 * Everything that a run keeps on disk.
 *
 *   config.json     what the run was started with
 *   log.jsonl       one JSON object a line; only ever added to
 *   latest, best    each the name of a step folder
 *   step-000500/    one saved step (see step-folder.ts)
 *
 * A process may be killed, or a disk fill up, at any moment, and what was saved before still loads: a step is
 * written under a hidden name, flushed, and appears by one rename; only then do `best` and `latest` move, each by
 * one rename; only then are older steps removed. One program at a time may write to a run (see run-lock.ts).
 *
 * Hidden names: `.X.partial` is being written; `.X.replaced` was moved aside while another X is put in its place;
 * `.X.removed` is being removed. The next `open` tidies up after a program that was killed.
 */
import { basename, dirname, join, resolve } from "node:path";
import { CheckpointError } from "../errors.ts";
import {
  type Checkpoint,
  readCheckpoint,
  readCheckpointModel,
  type StoredTensors,
  stepFolderName,
  stepOfName,
  writeCheckpoint,
} from "./checkpoint.ts";
import { explainFailures, type Files, nodeFiles } from "./files.ts";
import {
  CONFIG,
  checkEmpty,
  hiddenPath,
  listSteps,
  type Pointer,
  readConfig,
  readPointer,
  readStep,
  replaceFile,
  tidy,
  writeConfig,
} from "./layout.ts";
import { appendRecord, appendResumption, flushLog, type LogEntry, readRecords } from "./log.ts";

export interface RunDirectoryOptions {
  /** How many of the newest steps stay, besides the latest and the best. */
  readonly keep?: number;
  readonly files?: Files;
}

export interface StepToSave extends Checkpoint {
  /** Whether this step is now the best of the run. */
  readonly best: boolean;
}

export interface ModelFiles {
  readonly config: unknown;
  readonly tensors: StoredTensors;
  readonly step: number;
  /** The step folder that was read. */
  readonly folder: string;
}

/** How many of the newest steps stay unless told otherwise. */
const KEEP = 3;

export class RunDirectory {
  readonly path: string;
  /** JSON: what `create` was given. */
  readonly config: unknown;
  /** How many of the newest steps stay, besides the latest and the best. */
  keep: number;
  readonly #files: Files;

  private constructor(path: string, config: unknown, files: Files, keep: number) {
    this.path = path;
    this.config = config;
    this.#files = files;
    this.keep = keep;
  }

  /**
   * Checks that a run can start in a folder, and changes nothing.
   *
   * @throws CheckpointError when it holds anything
   */
  static checkFree(path: string, given: Files = nodeFiles): void {
    const files = explainFailures(given);
    if (files.exists(path)) checkEmpty(files, path);
  }

  /** Whether a folder holds a run. */
  static isRun(path: string, given: Files = nodeFiles): boolean {
    return explainFailures(given).exists(join(path, CONFIG));
  }

  /**
   * Starts a run in a folder that is empty or not there yet.
   *
   * @throws CheckpointError when the folder holds anything, or cannot be written
   */
  static create(path: string, config: unknown, options: RunDirectoryOptions = {}): RunDirectory {
    const files = explainFailures(options.files ?? nodeFiles);
    if (files.exists(path)) checkEmpty(files, path);
    files.createFolder(path);
    writeConfig(files, path, config);
    return new RunDirectory(path, readConfig(files, path), files, options.keep ?? KEEP);
  }

  /**
   * Opens a run to go on with it, and tidies up after a program that was killed.
   *
   * @throws CheckpointError when there is no run, or it cannot be read or written
   */
  static open(path: string, options: RunDirectoryOptions = {}): RunDirectory {
    const files = explainFailures(options.files ?? nodeFiles);
    const config = readConfig(files, path);
    tidy(files, path);
    return new RunDirectory(path, config, files, options.keep ?? KEEP);
  }

  /** The names of the saved steps, oldest first. */
  steps(): string[] {
    return listSteps(this.#files, this.path);
  }

  /** The name of the step saved last; null before the first. */
  latest(): string | null {
    return readPointer(this.#files, this.path, "latest");
  }

  /** The name of the best step; null before there is one. */
  best(): string | null {
    return readPointer(this.#files, this.path, "best");
  }

  appendLog<Fields extends { readonly step: number }>(fields: Fields): void {
    appendRecord(this.#files, this.path, fields);
  }

  /**
   * Notes that the run goes on after `step`, to `steps` in all: what the log says of later steps up to here no longer
   * counts.
   */
  resumeLog(step: number, steps: number): void {
    appendResumption(this.#files, this.path, step, steps);
  }

  /** The log as it stands: without what resumes took back. */
  readLog(): LogEntry[] {
    return readRecords(this.#files, this.path);
  }

  /**
   * Saves a step; one of the same number that is there is replaced. Older steps go, except the newest few, the
   * latest and the best. Steps after this one, which a resume from further back leaves, stay until they are
   * reached again.
   *
   * @throws CheckpointError when it cannot be written; what was saved before still loads
   */
  saveStep({ best, ...contents }: StepToSave): void {
    const name = stepFolderName(contents.step);
    this.#writePartial(name, contents);
    flushLog(this.#files, this.path);
    this.#putInPlace(name);
    // Best first: whoever goes on from the latest knows all that was best until then, and would not say it again.
    if (best) this.#point("best", name);
    this.#point("latest", name);
    this.#prune(contents.step);
  }

  /**
   * Reads a saved step, and checks every byte.
   *
   * @param which "latest", "best" or the name of a step folder
   * @throws CheckpointError when it is missing or damaged; the message says which steps are whole
   */
  loadStep(which: string = "latest"): Checkpoint & { readonly name: string } {
    const { name, value } = readStep(this.#files, this.path, which, readCheckpoint);
    return { name, ...value };
  }

  #writePartial(name: string, contents: Checkpoint): void {
    const partial = hiddenPath(this.path, name, "partial");
    this.#files.remove(partial);
    try {
      this.#files.createFolder(partial);
      writeCheckpoint(this.#files, partial, contents);
      this.#files.flushFolder(partial);
    } catch (error) {
      this.#removeIfPossible(partial);
      throw error;
    }
  }

  /** What failed is told; that its remains could not be removed either would only hide it. */
  #removeIfPossible(path: string): void {
    try {
      this.#files.remove(path);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
  }

  #putInPlace(name: string): void {
    const folder = join(this.path, name);
    const replaced = hiddenPath(this.path, name, "replaced");
    if (this.#files.exists(folder)) {
      this.#files.remove(replaced);
      this.#files.rename(folder, replaced);
    }
    this.#files.rename(hiddenPath(this.path, name, "partial"), folder);
    this.#files.flushFolder(this.path);
    this.#files.remove(replaced);
  }

  #point(pointer: Pointer, name: string): void {
    replaceFile(this.#files, this.path, pointer, new TextEncoder().encode(`${name}\n`));
  }

  #prune(step: number): void {
    const past = this.steps().filter((name) => (stepOfName(name) ?? 0) <= step);
    const newest = past.slice(Math.max(0, past.length - this.keep));
    const kept = new Set([...newest, this.latest(), this.best()]);
    for (const name of past.filter((name) => !kept.has(name))) {
      // Renamed first, so that a removal that is cut short leaves no part of a step.
      const removed = hiddenPath(this.path, name, "removed");
      this.#files.rename(join(this.path, name), removed);
      this.#files.flushFolder(this.path);
      this.#files.remove(removed);
    }
  }
}

/**
 * The weights of a saved model and the config of its run; changes nothing on disk.
 *
 * @param path  a run directory, or one step folder in it
 * @param which "latest", "best" or the name of a step folder; without it the best step, or the latest where none is the best
 * @throws CheckpointError when there is no whole model
 */
export function loadModelFiles(path: string, which?: string, given: Files = nodeFiles): ModelFiles {
  const files = explainFailures(given);
  const full = resolve(path);
  const isStep = stepOfName(basename(full)) !== null && !files.exists(join(full, CONFIG));
  const run = isStep ? dirname(full) : full;
  const config = readConfig(files, run);
  const best = () => (readPointer(files, run, "best") === null ? "latest" : "best");
  const step = isStep ? basename(full) : (which ?? best());
  const { folder, value } = readStep(files, run, step, readCheckpointModel);
  return { config, tensors: value.model, step: value.step, folder };
}
