/** The directory of a new run: the one that `--out` names, or the next free one in checkpoints/. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CheckpointError } from "../../../errors.ts";
import { checkUnlocked, holderOf, type RunLock } from "../../../run/lock.ts";
import { nodeFiles } from "../../../run/node-files.ts";
import { RunDirectory } from "../../../run/on-disk.ts";
import { RUNS } from "../../shared/find-model.ts";
import { lockRun, processes } from "../../shared/process-lock.ts";

/** A directory that only this program writes to. */
export interface ClaimedFolder {
  readonly path: string;
  readonly lock: RunLock;
}

/**
 * Checks that a run can start in a folder, without changing anything.
 *
 * @param seen what is known of processes that may hold its lock
 * @throws CheckpointError when it is in use, or holds anything but the remains of a run that was killed at its start
 */
export function checkFree(path: string, seen = processes(path)): void {
  if (existsSync(path)) checkUnlocked(path, seen, nodeFiles);
  RunDirectory.checkFree(path);
}

/** Locks a folder for a new run. Throws as `checkFree` does. */
export function claimFolder(path: string, seen = processes(path)): ClaimedFolder {
  checkFree(path, seen);
  return { path, lock: lockRun(path, seen) };
}

/**
 * Locks the first of checkpoints/NAME-1, -2, … that is free. Of several programs that choose at the same time, each gets
 * its own.
 *
 * @throws CheckpointError when none can be created
 */
export function claimNextFolder(name: string): ClaimedFolder {
  const taken = new Set(existsSync(RUNS) ? readdirSync(RUNS) : []);
  for (let number = 1; number < 100_000; number++) {
    const path = join(RUNS, `${name}-${number}`);
    if (taken.has(`${name}-${number}`) && !RunDirectory.isFree(path)) continue;
    const lock = lockIfFree(path);
    if (lock !== null) return { path, lock };
  }
  throw new CheckpointError(`${RUNS}/ holds too many runs named ${name}: name a folder with --out`);
}

/** null if another program has claimed the folder. */
function lockIfFree(path: string): RunLock | null {
  let lock: RunLock;
  try {
    lock = lockRun(path);
  } catch (error) {
    if (
      error instanceof CheckpointError &&
      existsSync(path) &&
      holderOf(path, processes(path), nodeFiles) !== null
    )
      return null;
    throw error;
  }
  // Before the lock was taken, another program may have started a run here and ended.
  if (RunDirectory.isFree(path)) return lock;
  lock.release();
  return null;
}
