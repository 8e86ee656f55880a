/** Which folders are meant by the runs that were named on the command line. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CheckpointError, ConfigError } from "../../../errors.ts";
import { stepOfName } from "../../../run/checkpoint.ts";
import { RunDirectory } from "../../../run/directory.ts";
import { nearest } from "../../../util/edit-distance.ts";

/** Where runs are kept unless told otherwise. */
const USUAL_PLACE = "checkpoints";

export interface FoundRuns {
  readonly paths: readonly string[];
  /** What is there but is no run, as `checkpoints/*` names it too. */
  readonly others: readonly string[];
}

/**
 * A word is the path of a run, of a step folder in it, or a name under checkpoints/. What is named twice counts once.
 *
 * @throws CheckpointError for a word that leads nowhere, with the nearest that leads to a run
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
      `plot compares runs: ${others.join(", ")} holds none; nopeek runs lists those that are there`,
    );
  return { paths: [...paths.values()], others };
}

function runAt(word: string): string | null {
  const candidates = [word, join(USUAL_PLACE, word)];
  const found = candidates.find((path) => RunDirectory.isRun(path));
  if (found !== undefined) return found;
  const step = candidates.find(
    (path) => stepOfName(basename(path)) !== null && RunDirectory.isRun(dirname(path)),
  );
  return step === undefined ? null : dirname(step);
}

function suggestionFor(word: string): string {
  const here = dirname(word);
  const known = [USUAL_PLACE, here].flatMap((place) => runsIn(place));
  if (known.length === 0) return "; runs start with nopeek train, and nopeek runs lists them";
  // A name under checkpoints/ is meant as often as a path.
  const names = new Map([
    ...known.map((path) => [basename(path), path] as const),
    ...known.map((path) => [path, path] as const),
  ]);
  const path = names.get(nearest(word, [...names.keys()]));
  return `; did you mean ${path}? nopeek runs lists all`;
}

function runsIn(place: string): string[] {
  if (!existsSync(place) || !statSync(place).isDirectory()) return [];
  const folders = readdirSync(place, { withFileTypes: true }).filter((entry) => !entry.isFile());
  return folders.map(({ name }) => join(place, name)).filter((path) => RunDirectory.isRun(path));
}

/** The last part of each path, or as many as it takes to tell them apart. */
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
