/**
 * The lock of a run directory: one program at a time may write to it.
 *
 *   .lock-3/owner.json    the process that holds it; the lock with the highest number counts
 *
 * A lock appears by one rename of a directory that is not empty, which fails if the target exists: of two programs
 * that start together, one gets the lock. The lock of a dead process is never replaced, because two programs could do
 * so at once. Instead the next number is taken, and only its holder removes the older locks.
 */

import * as z from "zod/mini";
import { CheckpointError } from "../errors.ts";
import { largestOf } from "../util/extremes.ts";
import { errorCode } from "../util/failure-reason.ts";
import { joinPath } from "../util/paths.ts";
import { explainFailures, type Files } from "./files.ts";
import { encodeJSON } from "./json.ts";

/** No system numbers its processes higher. */
const MOST_PID = 2 ** 31 - 1;

const ownerLayout = z.strictObject({
  pid: z.int().check(z.minimum(1), z.maximum(MOST_PID)),
  /** When the process started, in the notation of its system; null if unknown. */
  started: z.nullable(z.string()),
  /** The host name. */
  machine: z.string(),
  /** Identifies the boot of the machine and the PID namespace; null if unknown. */
  boot: z.nullable(z.string()),
});

/** A process, distinguishable from a later one with the same PID. */
export type Owner = Readonly<z.infer<typeof ownerLayout>>;

/** Information about the processes of this machine. */
export interface Processes {
  readonly self: Owner;
  /** Whether a process is alive; null if that cannot be determined from here. */
  isAlive(owner: Owner): boolean | null;
}

const LOCK = /^\.lock-([1-9]\d*)$/;
/** Each lock has the number after that of a process that was killed, so a higher number is damage. */
const MOST_LOCKS = 1_000_000_000;
const PREPARED = /^\.lock-of-([1-9]\d*)$/;
const OWNER = "owner.json";
const OWNER_LIMIT = 4096;
/** More attempts than this are needed only if other programs keep taking the lock first. */
const ROUNDS = 100;

/** Whether a name is a lock, or the remains of one. A directory with nothing else counts as empty. */
export const isLockName = (name: string): boolean => name.startsWith(".lock-");

export class RunLock {
  readonly #files: Files;
  readonly #run: string;
  readonly #self: Owner;
  #number: number | null;

  private constructor(files: Files, run: string, self: Owner, number: number) {
    this.#files = files;
    this.#run = run;
    this.#self = self;
    this.#number = number;
  }

  /**
   * Locks a directory for this process, until `release` or the end of the process. Creates the directory if needed.
   *
   * @throws CheckpointError when a living process holds the lock, or the directory cannot be written
   */
  static take(run: string, processes: Processes, given: Files): RunLock {
    const files = explainFailures(given);
    const { self } = processes;
    files.createFolder(run);
    for (let round = 0; round < ROUNDS; round++) {
      const existing = locksIn(files, run);
      rejectLiving(files, run, existing, processes);
      const number = largestOf(existing, 0) + 1;
      if (!place(files, run, number, self)) continue;
      const lock = new RunLock(files, run, self, number);
      try {
        // A lock taken between the listing and the rename is visible now, and its holder sees this one.
        const others = locksIn(files, run).filter((other) => other !== number);
        rejectLiving(files, run, others, processes);
        for (const other of others) if (other < number) files.remove(lockPath(run, other));
        removeLitter(files, run, processes);
      } catch (error) {
        lock.release();
        throw error;
      }
      return lock;
    }
    throw new CheckpointError(`${run}: other processes keep locking it; try again later`);
  }

  /** Releases the lock. Calling it again has no effect. */
  release(): void {
    if (this.#number === null) return;
    const gone = preparedPath(this.#run, this.#self);
    this.#files.rename(lockPath(this.#run, this.#number), gone);
    this.#number = null;
    this.#files.remove(gone);
  }
}

/**
 * Checks that no living process holds the lock of a run, without changing anything.
 *
 * @throws CheckpointError naming the process that holds it
 */
export function checkUnlocked(run: string, processes: Processes, given: Files): void {
  const files = explainFailures(given);
  rejectLiving(files, run, locksIn(files, run), processes);
}

/** The process that holds the lock of a run; null if there is none. Changes nothing. */
export function ownerOf(run: string, processes: Processes, given: Files): Owner | null {
  const files = explainFailures(given);
  const owners = locksIn(files, run).map((number) => readOwner(files, run, lockName(number)));
  return owners.find((owner) => owner !== null && processes.isAlive(owner) !== false) ?? null;
}

function locksIn(files: Files, run: string): number[] {
  const numbers = files.list(run).flatMap((name) => LOCK.exec(name)?.[1] ?? []);
  for (const number of numbers) if (Number(number) > MOST_LOCKS) throw damaged(run, `.lock-${number}`);
  return numbers.map(Number);
}

function damaged(run: string, lock: string): CheckpointError {
  return new CheckpointError(
    `${joinPath(run, lock)}: is not a lock that nopeek made; if no process trains this run, remove it`,
  );
}

/** Removes the locks that programs prepared, or put away, when they were killed. */
function removeLitter(files: Files, run: string, { self, isAlive }: Processes): void {
  for (const name of files.list(run)) {
    const pid = Number(PREPARED.exec(name)?.[1] ?? self.pid);
    if (pid === self.pid) continue;
    // Without a readable owner there is only the PID, of a process that may be about to write one.
    const { data: owner = { ...self, pid, started: null } } = ownerLayout.safeParse(
      readOwnerJSON(files, joinPath(run, name)),
    );
    if (isAlive(owner) === false) files.remove(joinPath(run, name));
  }
}

function rejectLiving(files: Files, run: string, numbers: readonly number[], processes: Processes): void {
  for (const number of numbers) {
    const owner = readOwner(files, run, lockName(number));
    const alive = owner === null ? false : processes.isAlive(owner);
    if (owner === null || alive === false) continue;
    const unseen = `a process on ${owner.machine}, which cannot be seen from here`;
    throw new CheckpointError(
      alive
        ? `${run}: is in use by process ${owner.pid}; wait for it, stop it, or choose another folder with \`out\``
        : `${run}: is in use by process ${owner.pid}, ${unseen}; if it has ended, remove ${lockPath(run, number)}`,
    );
  }
}

/** Creates a lock atomically. Returns false if another process has taken its number. */
function place(files: Files, run: string, number: number, self: Owner): boolean {
  const prepared = preparedPath(run, self);
  files.remove(prepared);
  files.createFolder(prepared);
  try {
    files.write(joinPath(prepared, OWNER), encodeJSON(self, OWNER));
    files.rename(prepared, lockPath(run, number));
    return true;
  } catch (error) {
    files.remove(prepared);
    if (isDisturbed(error) || files.exists(lockPath(run, number))) return false;
    throw error;
  }
}

/** Whether the number is taken, or what was prepared has been removed by a process that took it for litter. */
function isDisturbed(error: unknown): boolean {
  const cause = error instanceof CheckpointError ? error.cause : null;
  return ["ENOTEMPTY", "EEXIST", "ENOENT"].includes(errorCode(cause) ?? "");
}

/**
 * null if the file is unreadable: its bytes were lost in a power failure, or the lock is being released.
 *
 * @throws CheckpointError when it names no process
 */
function readOwner(files: Files, run: string, lock: string): Owner | null {
  const json = readOwnerJSON(files, joinPath(run, lock));
  if (json === undefined) return null;
  const { data } = ownerLayout.safeParse(json);
  if (data === undefined) throw damaged(run, lock);
  return data;
}

function readOwnerJSON(files: Files, lock: string): unknown {
  try {
    if (files.inspect(lock)?.type === "link") return undefined;
    return JSON.parse(new TextDecoder().decode(files.read(joinPath(lock, OWNER), OWNER_LIMIT)));
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const lockName = (number: number) => `.lock-${number}`;
const lockPath = (run: string, number: number) => joinPath(run, lockName(number));

/** Where a process prepares its lock and puts it away. No other process uses this name. */
const preparedPath = (run: string, { pid }: Owner) => joinPath(run, `.lock-of-${pid}`);
