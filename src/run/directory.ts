/**
 * A run directory.
 *
 *   config.json     the current settings, and what resumes have changed
 *   log.jsonl       one JSON object per line, append-only
 *   latest, best    each the name of a step directory
 *   step-000500/    one checkpoint (see checkpoint.ts)
 *
 * If the process is killed or the disk fills up, at any moment, earlier checkpoints still load: a checkpoint is
 * written under a hidden name, flushed, and appears by one rename; then `best` and `latest` move, each by one rename;
 * then older checkpoints are removed. One program at a time may write to a run (see lock.ts).
 *
 * Hidden names: `.X.partial` is being written; `.X.replaced` was moved aside while a new X takes its place;
 * `.X.removed` is being removed. The next `open` cleans up after a program that was killed.
 */
import { CheckpointError } from "../errors.ts";
import { joinPath, lastPart, parentPath, withoutEnd } from "../util/paths.ts";
import {
  type Checkpoint,
  readCheckpoint,
  readCheckpointModel,
  type StoredTensors,
  stepFolderName,
  stepOfName,
  writeCheckpoint,
} from "./checkpoint.ts";
import { explainFailures, type Files } from "./files.ts";
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
import { appendRecord, appendResumption, flushLog, type LogEntry } from "./log.ts";
import { LogReader } from "./log-reader.ts";

export interface RunDirectoryOptions {
  /** Number of recent checkpoints to keep, in addition to the latest and the best. Default: 3. */
  readonly keep?: number;
  readonly files: Files;
}

export interface StepToSave extends Checkpoint {
  /** Whether this checkpoint is the best of the run so far. */
  readonly best: boolean;
}

export interface ModelFiles {
  readonly config: unknown;
  readonly tensors: StoredTensors;
  readonly step: number;
  /** The step directory that was read. */
  readonly folder: string;
  /** Why this one: "best", "latest", or its name. */
  readonly which: string;
}

const KEEP = 3;

export class RunDirectory {
  readonly path: string;
  readonly #keep: number;
  readonly #files: Files;

  #config: unknown;

  private constructor(path: string, config: unknown, files: Files, keep: number) {
    this.path = path;
    this.#config = config;
    this.#files = files;
    this.#keep = keep;
  }

  /**
   * Checks that a run can start in a directory, without changing anything.
   *
   * @throws CheckpointError when the directory is not empty
   */
  static checkFree(path: string, given: Files): void {
    const files = explainFailures(given);
    if (files.exists(path)) checkEmpty(files, path);
  }

  /** Whether `checkFree` passes. */
  static isFree(path: string, given: Files): boolean {
    try {
      RunDirectory.checkFree(path, given);
      return true;
    } catch (error) {
      if (error instanceof CheckpointError) return false;
      throw error;
    }
  }

  /** Whether a directory holds a run. */
  static isRun(path: string, given: Files): boolean {
    return explainFailures(given).exists(joinPath(path, CONFIG));
  }

  /**
   * Starts a run in a directory that is empty or does not exist yet.
   *
   * @throws CheckpointError when the directory is not empty or cannot be written
   */
  static create(path: string, config: unknown, options: RunDirectoryOptions): RunDirectory {
    const files = explainFailures(options.files);
    if (files.exists(path)) checkEmpty(files, path);
    files.createFolder(path);
    writeConfig(files, path, config);
    return new RunDirectory(path, readConfig(files, path), files, options.keep ?? KEEP);
  }

  /**
   * Opens a run to continue it, and cleans up after a program that was killed.
   *
   * @throws CheckpointError when there is no run, or it cannot be read or written
   */
  static open(path: string, options: RunDirectoryOptions): RunDirectory {
    const files = explainFailures(options.files);
    const config = readConfig(files, path);
    tidy(files, path);
    return new RunDirectory(path, config, files, options.keep ?? KEEP);
  }

  /** The config as JSON. */
  get config(): unknown {
    return this.#config;
  }

  /** Replaces the config by one rename. Settings are changed here before the first step that uses them. */
  changeConfig(config: unknown): void {
    writeConfig(this.#files, this.path, config);
    this.#config = readConfig(this.#files, this.path);
  }

  /** The names of the checkpoints, oldest first. */
  steps(): string[] {
    return listSteps(this.#files, this.path);
  }

  /** The name of the latest checkpoint; null before the first. */
  latest(): string | null {
    return readPointer(this.#files, this.path, "latest");
  }

  /** The name of the best checkpoint; null before there is one. */
  best(): string | null {
    return readPointer(this.#files, this.path, "best");
  }

  appendLog<Fields extends { readonly step: number }>(fields: Fields): void {
    appendRecord(this.#files, this.path, fields);
  }

  /** Records that the run resumes after `step`, to a total of `steps`: log entries of later steps no longer count. */
  resumeLog(step: number, steps: number): void {
    appendResumption(this.#files, this.path, step, steps);
  }

  /** The log, without the entries that a resume discarded. */
  readLog(): LogEntry[] {
    return [...this.logEntries()];
  }

  /** The entries of `readLog` one by one, for a log larger than memory. */
  logEntries(): Generator<LogEntry> {
    return new LogReader(this.#files, this.path).entries();
  }

  /**
   * Saves a checkpoint, replacing one of the same step. Older checkpoints are removed, except the newest few, the
   * latest and the best. Checkpoints of later steps, left by a resume from an earlier one, stay until their steps are
   * reached again.
   *
   * @throws CheckpointError when it cannot be written; earlier checkpoints still load
   */
  saveStep({ best, ...contents }: StepToSave): void {
    const name = stepFolderName(contents.step);
    this.#writePartial(name, contents);
    flushLog(this.#files, this.path);
    this.#putInPlace(name);
    // Best first: a run resumed from the latest checkpoint would not mark an earlier one as the best again.
    if (best) this.#point("best", name);
    this.#point("latest", name);
    this.#prune(contents.step);
  }

  /**
   * Reads a checkpoint and verifies its hashes.
   *
   * @param which "latest", "best" or the name of a step directory
   * @throws CheckpointError when it is missing or damaged; the message lists the intact ones
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

  /** A failure to clean up must not hide the error that made it necessary. */
  #removeIfPossible(path: string): void {
    try {
      this.#files.remove(path);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
  }

  #putInPlace(name: string): void {
    const folder = joinPath(this.path, name);
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
    const newest = past.slice(Math.max(0, past.length - this.#keep));
    const kept = new Set([...newest, this.latest(), this.best()]);
    for (const name of past.filter((name) => !kept.has(name))) {
      // Renamed first, so that an interrupted removal leaves no partial checkpoint.
      const removed = hiddenPath(this.path, name, "removed");
      this.#files.rename(joinPath(this.path, name), removed);
      this.#files.flushFolder(this.path);
      this.#files.remove(removed);
    }
  }
}

/**
 * The config of a run, as JSON. Changes nothing on disk.
 *
 * @throws CheckpointError when there is no run, or its config is damaged
 */
export function readRunConfig(path: string, files: Files): unknown {
  return readConfig(explainFailures(files), path);
}

/**
 * The latest checkpoint of a run; null before the first. Changes nothing on disk.
 *
 * @throws CheckpointError when it is damaged; the message lists the intact ones
 */
export function readLatestCheckpoint(
  path: string,
  given: Files,
): (Checkpoint & { readonly name: string }) | null {
  const files = explainFailures(given);
  if (readPointer(files, path, "latest") === null) return null;
  const { name, value } = readStep(files, path, "latest", readCheckpoint);
  return { name, ...value };
}

/**
 * The weights of a saved model and the config of its run. Changes nothing on disk.
 *
 * @param path  a run directory, or one of its step directories
 * @param which "latest", "best" or the name of a step directory; by default the best, or the latest if none is marked
 *   as the best
 * @throws CheckpointError when there is no intact model
 */
export function loadModelFiles(path: string, which: string | undefined, given: Files): ModelFiles {
  const files = explainFailures(given);
  const full = withoutEnd(path);
  const isStep = stepOfName(lastPart(full)) !== null && !files.exists(joinPath(full, CONFIG));
  const run = isStep ? parentPath(full) : full;
  const config = readConfig(files, run);
  const best = () => (readPointer(files, run, "best") === null ? "latest" : "best");
  const chosen = isStep ? lastPart(full) : (which ?? best());
  const { folder, value } = readStep(files, run, chosen, readCheckpointModel);
  return { config, tensors: value.model, step: value.step, folder, which: chosen };
}
