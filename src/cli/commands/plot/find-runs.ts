/** Finds the run directories named on the command line. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CheckpointError, ConfigError } from "../../../errors.ts";
import { stepOfName } from "../../../run/checkpoint.ts";
import { RunDirectory } from "../../../run/directory.ts";
import { nearest } from "../../../util/edit-distance.ts";

/** The default parent folder of run directories. */
const DEFAULT_FOLDER = "checkpoints";

export interface FoundRuns {
  readonly paths: readonly string[];
  /** Existing paths that are not runs, as `checkpoints/*` may include. */
  readonly others: readonly string[];
}

/**
 * Accepts paths of runs, paths of their step folders, and names in checkpoints/. Duplicates are dropped.
 *
 * @throws CheckpointError for a path that does not exist, with the nearest name of a run
 * @throws ConfigError if none of the paths is a run
 */
export function findRuns(words: readonly string[]): FoundRuns {
  const paths = new Map<string, string>();
  const others: string[] = [];
  for (const word of words) {
    const path = runAt(word);
    if (path !== null) paths.set(resolve(path), paths.get(resolve(path)) ?? path);
    else if (existsSync(word)) others.push(word);
    else throw new CheckpointError(`there is no run ${JSON.stringify(word)}${suggestionFor(word)}`);
  }
  if (paths.size === 0)
    throw new ConfigError(
      `plot compares runs, but there is none in ${others.join(", ")}; nopeek runs lists the existing ones`,
    );
  return { paths: [...paths.values()], others };
}

function runAt(word: string): string | null {
  const candidates = [word, join(DEFAULT_FOLDER, word)];
  const found = candidates.find((path) => RunDirectory.isRun(path));
  if (found !== undefined) return found;
  const step = candidates.find(
    (path) => stepOfName(basename(path)) !== null && RunDirectory.isRun(dirname(path)),
  );
  return step === undefined ? null : dirname(step);
}

function suggestionFor(word: string): string {
  const here = dirname(word);
  const known = [DEFAULT_FOLDER, here].flatMap((place) => runsIn(place));
  if (known.length === 0) return "; start a run with nopeek train, or list runs with nopeek runs";
  // Suggest names in checkpoints/ as well as paths.
  const names = new Map([
    ...known.map((path) => [basename(path), path] as const),
    ...known.map((path) => [path, path] as const),
  ]);
  const path = names.get(nearest(word, [...names.keys()]));
  return `; did you mean ${path}? nopeek runs lists them all`;
}

function runsIn(place: string): string[] {
  if (!existsSync(place) || !statSync(place).isDirectory()) return [];
  const folders = readdirSync(place, { withFileTypes: true }).filter((entry) => !entry.isFile());
  return folders.map(({ name }) => join(place, name)).filter((path) => RunDirectory.isRun(path));
}

/** Returns the shortest path ending of each run that no other run shares. */
export function namesOf(paths: readonly string[]): string[] {
  const parts = paths.map((path) =>
    resolve(path)
      .split(/[\\/]/)
      .filter((part) => part !== ""),
  );
  const name = (words: readonly string[], count: number) => words.slice(-count).join("/");
  return parts.map((words, i) => {
    const clashes = (count: number) =>
      parts.some((other, j) => j !== i && name(other, count) === name(words, count));
    let count = 1;
    while (count < words.length && clashes(count)) count++;
    return name(words, count);
  });
}
