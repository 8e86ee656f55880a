/** Finds the run or the model that a command names: by its path, by its name in checkpoints/, or the newest run. */
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CheckpointError, ConfigError } from "../../errors.ts";
import { stepFolderName, stepOfName } from "../../run/checkpoint.ts";
import { RunDirectory, SHIPPED_MODEL_PATH } from "../../run/on-disk.ts";
import type { SavedModel } from "../../run/saved-model.ts";
import { nearest } from "../../util/edit-distance.ts";
import { formatCount } from "../../util/format.ts";

/** The default parent folder of run directories. */
export const RUNS = "checkpoints";
/** The name of the bundled model. A run of this name in checkpoints/ comes first. */
const BUNDLED = "tales";

/** The flags that choose a model. */
export interface ModelFlags {
  readonly model?: string | undefined;
  readonly step?: string | undefined;
}

export interface FoundModel {
  /** A run directory, or one of its step directories. */
  readonly path: string;
  /** "best", "latest" or the name of a step directory; undefined for the default: the best. */
  readonly which: string | undefined;
  readonly by: "name" | "being the newest" | "being bundled";
}

/** Adds `[run]`, `--model` and `--step`. The action of the command receives the word of `[run]` first. */
export function addModelFlags(command: Command): void {
  command
    .argument("[run]", "the model, as for --model")
    .option(
      "--model <run>",
      `a run: its folder, its name in ${RUNS}/, or one of its step folders; ${BUNDLED} is the bundled model (default: the newest run in ${RUNS}/, else the bundled model)`,
    )
    .addOption(
      new Option("--step <which>", "the step to use: best, latest or a number")
        .argParser(parseStep)
        .default(undefined, "best"),
    );
}

/** Parses "best", "latest" or a number of steps, as loading expects it. */
export function parseStep(text: string): string {
  if (text === "best" || text === "latest") return text;
  const step = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(step) && step >= 0) return stepFolderName(step);
  throw new InvalidArgumentError("It must be best, latest or the number of a step.");
}

/**
 * The model that a command is about: the named one, else the newest run that has saved a step, else the bundled one.
 *
 * @param word the positional argument
 * @throws ConfigError when two models are named, or two steps
 * @throws CheckpointError for a name of nothing, with the nearest name of a run
 */
export function findModel({ model, step }: ModelFlags, word?: string): FoundModel {
  if (word !== undefined && model !== undefined)
    throw new ConfigError(`name one model, not two: got ${word} and --model ${model}`);
  const named = word ?? model;
  if (named !== undefined) return { path: modelAt(named, step), which: step, by: "name" };
  const newest = newestRun();
  if (newest !== null) return { path: newest, which: step, by: "being the newest" };
  if (existsSync(SHIPPED_MODEL_PATH)) return { path: SHIPPED_MODEL_PATH, which: step, by: "being bundled" };
  throw new CheckpointError(
    `${SHIPPED_MODEL_PATH}: the bundled model is missing; name another one with --model, or train one: npx nopeek train`,
  );
}

/** What was found, for a person: "checkpoints/my-1, the newest run: its best step, 500". */
export function describeModel({ path, by }: FoundModel, { files }: SavedModel): string {
  const step = formatCount(files.step);
  const which = stepOfName(files.which) === null ? `its ${files.which} step, ${step}` : `step ${step}`;
  return by === "being the newest" ? `${path}, the newest run: ${which}` : `${path}: ${which}`;
}

function modelAt(word: string, step: string | undefined): string {
  const path = pathOf(word) ?? (word === BUNDLED ? SHIPPED_MODEL_PATH : word);
  if (step !== undefined && isStepOf(path))
    throw new ConfigError(`${path}: names a step already: got --step too`);
  // A folder that is not a run gets its message where it is read.
  if (existsSync(path) || isStepOf(path)) return path;
  throw unknownRun(word);
}

/**
 * The directory of a run, by its path, its name in checkpoints/, or the path of a step.
 *
 * @returns null if there is none
 */
export function runAt(word: string): string | null {
  const path = pathOf(word);
  return path === null || RunDirectory.isRun(path) ? path : dirname(path);
}

/** The error for a run that does not exist, with the nearest one that does. */
export function unknownRun(word: string): CheckpointError {
  return new CheckpointError(`${word}: there is no such folder${suggestionFor(word)}`);
}

/** The path of a run or of a step of one; null if there is none. */
function pathOf(word: string): string | null {
  const candidates = word === "" ? [] : [word, join(RUNS, word)];
  return (
    candidates.find((path) => RunDirectory.isRun(path)) ?? candidates.find((path) => isStepOf(path)) ?? null
  );
}

function isStepOf(path: string): boolean {
  return stepOfName(basename(path)) !== null && RunDirectory.isRun(dirname(path));
}

/** The run in checkpoints/ that saved a step last; null if there is none. The bundled model does not count. */
export function newestRun(): string | null {
  const saved = runsIn(RUNS).flatMap((path) => {
    const pointer = statSync(join(path, "latest"), { throwIfNoEntry: false });
    return pointer === undefined || isBundled(path) ? [] : [{ path, savedMs: pointer.mtimeMs }];
  });
  saved.sort((a, b) => b.savedMs - a.savedMs || (a.path < b.path ? 1 : -1));
  return saved.at(0)?.path ?? null;
}

function isBundled(path: string): boolean {
  return existsSync(SHIPPED_MODEL_PATH) && realpathSync(path) === realpathSync(SHIPPED_MODEL_PATH);
}

/** The end of a message about a name: the nearest one, or how to start a run. */
export function suggestionFor(word: string): string {
  const known = [...new Set([RUNS, dirname(word)].map((place) => resolve(place)))];
  const paths = known.flatMap((place) => runsIn(place === resolve(RUNS) ? RUNS : dirname(word)));
  if (paths.length === 0) return "; start a run with nopeek train, or list runs with nopeek runs";
  // Suggest names in checkpoints/ as well as paths.
  const names = new Map([
    ...paths.map((path) => [basename(path), path] as const),
    ...paths.map((path) => [path, path] as const),
  ]);
  return `; did you mean ${names.get(nearest(word, [...names.keys()]))}? nopeek runs lists them all`;
}

function runsIn(place: string): string[] {
  if (!existsSync(place) || !statSync(place).isDirectory()) return [];
  const folders = readdirSync(place, { withFileTypes: true }).filter((entry) => !entry.isFile());
  return folders.map(({ name }) => join(place, name)).filter((path) => RunDirectory.isRun(path));
}
