/** Finds the run directories named on the command line. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CheckpointError, ConfigError } from "../../../errors.ts";
import { runAt, suggestionFor } from "../../shared/find-model.ts";

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
