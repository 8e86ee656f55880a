/**
 * The lock of a run directory: one program at a time may write to it. Its files are in lock-files.ts.
 *
 * A lock appears by one rename of a directory that is not empty, which fails if the target exists: of two programs
 * that start together, one gets the lock. The lock of a dead process is never replaced, because two programs could do
 * so at once. Instead the next number is taken, and only its holder removes the older locks.
 *
 * Whether a process of another host lives, only its lock shows (lease.ts). A process that was paused so long that
 * another took over finds its lock removed, and writes nothing any more: see `guard`.
 */
import { CheckpointError } from "../errors.ts";
import { largestOf } from "../util/extremes.ts";
import { joinPath } from "../util/paths.ts";
import { explainFailures, type Files } from "./files.ts";
import { LEASE_SECONDS } from "./lease.ts";
import {
  causeOf,
  isHeld,
  type LockState,
  lockNumbers,
  lockPath,
  locksIn,
  type Owner,
  type Processes,
  readLock,
  readOwner,
  writeLock,
} from "./lock-files.ts";

export type { Owner, Processes } from "./lock-files.ts";

const PREPARED = /^\.lock-of-([1-9]\d*)(?:-[0-9a-f]+)?$/;
/** More attempts than this are needed only if other programs keep taking the lock first. */
const ROUNDS = 100;

export class RunLock {
  /** The folder of the lock. */
  readonly path: string;
  readonly owner: Owner;
  readonly #files: Files;
  readonly #run: string;
  #released = false;

  private constructor(files: Files, run: string, owner: Owner, number: number) {
    this.path = lockPath(run, number);
    this.owner = owner;
    this.#files = files;
    this.#run = run;
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
      const existing = lockNumbers(files, run);
      rejectLiving(files, run, existing, processes);
      const number = largestOf(existing, 0) + 1;
      if (!place(files, run, number, self)) continue;
      const lock = new RunLock(files, run, self, number);
      try {
        // A lock taken between the listing and the rename is visible now, and its holder sees this one. A process of
        // another host that was silent may have shown that it lives.
        const others = lockNumbers(files, run).filter((other) => other !== number);
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

  /**
   * Files that can be changed only while this process holds the lock.
   *
   * Between that check and the change, another process could take over only if this one were paused just there, for
   * the whole time of a lease.
   */
  guard(given: Files): Files {
    const checked =
      <Words extends unknown[]>(change: (...words: Words) => void) =>
      (...words: Words): void => {
        this.#checkHeld();
        change(...words);
      };
    return {
      exists: (path) => given.exists(path),
      list: (folder) => given.list(folder),
      inspect: (path) => given.inspect(path),
      read: (file, limit) => given.read(file, limit),
      open: (file, limit, use) => given.open(file, limit, use),
      readPart: (file, start, length) => given.readPart(file, start, length),
      write: checked((file, contents) => given.write(file, contents)),
      append: checked((file, text) => given.append(file, text)),
      flush: (file) => given.flush(file),
      createFolder: checked((folder) => given.createFolder(folder)),
      flushFolder: (folder) => given.flushFolder(folder),
      rename: checked((from, to) => given.rename(from, to)),
      remove: checked((path) => given.remove(path)),
      sha256: (contents) => given.sha256(contents),
      sha256Of: (file, limit) => given.sha256Of(file, limit),
    };
  }

  /** Releases the lock, unless another process has taken over. Calling it again has no effect. */
  release(): void {
    if (this.#released) return;
    const gone = preparedPath(this.#files, this.#run, this.owner);
    if (isHeld(this.#files, this.path, this.owner)) this.#files.rename(this.path, gone);
    this.#released = true;
    this.#files.remove(gone);
  }

  /** @throws CheckpointError if this process has lost the lock */
  #checkHeld(): void {
    if (isHeld(this.#files, this.path, this.owner)) return;
    const [other] = locksIn(this.#files, this.#run);
    const who =
      other === undefined ? "someone removed its lock" : `${describe(other.owner)} has taken it over`;
    throw new CheckpointError(
      `${this.#run}: ${who}, since this process did not show for ${LEASE_SECONDS} seconds that it runs: it was paused, or could not reach the disk. It stops here and writes nothing more; the run continues from its last checkpoint`,
    );
  }
}

/**
 * Checks that no living process holds the lock of a run, without changing anything.
 *
 * @throws CheckpointError naming the process that holds it
 */
export function checkUnlocked(run: string, processes: Processes, given: Files): void {
  const files = explainFailures(given);
  rejectLiving(files, run, lockNumbers(files, run), processes);
}

/** The process that holds the lock of a run. */
export interface Holder {
  readonly owner: Owner;
  /** False for a process of another host, which may have died. */
  readonly isAlive: boolean;
}

/** The process that holds the lock of a run; null if there is none. Changes nothing. */
export function holderOf(run: string, processes: Processes, given: Files): Holder | null {
  for (const { owner, heartbeat } of locksIn(explainFailures(given), run)) {
    const alive = processes.isAlive(owner, heartbeat);
    if (alive !== false) return { owner, isAlive: alive === true };
  }
  return null;
}

/** Removes the locks that programs prepared, or put away, when they were killed. */
function removeLitter(files: Files, run: string, { self, isAlive }: Processes): void {
  for (const name of files.list(run)) {
    const pid = Number(PREPARED.exec(name)?.[1] ?? self.pid);
    if (pid === self.pid) continue;
    // Without a readable owner there is only the PID, of a process that may be about to write one.
    const owner = readOwner(files, joinPath(run, name)) ?? { ...self, pid, started: null };
    if (isAlive(owner) === false) files.remove(joinPath(run, name));
  }
}

function rejectLiving(files: Files, run: string, numbers: readonly number[], processes: Processes): void {
  for (const number of numbers) {
    const lock = readLock(files, run, number);
    const alive = lock === null ? false : processes.isAlive(lock.owner, lock.heartbeat);
    if (lock === null || alive === false) continue;
    throw new CheckpointError(`${run}: is in use by ${alive ? inUseHere(lock) : inUseElsewhere(run, lock)}`);
  }
}

function inUseHere({ owner }: LockState): string {
  return `process ${owner.pid}; wait for it, stop it, or choose another folder with \`out\``;
}

function inUseElsewhere(run: string, { number, owner, heartbeat }: LockState): string {
  if (heartbeat === null)
    return `process ${owner.pid}, a process on ${owner.machine}, which cannot be seen from here; if it has ended, remove ${lockPath(run, number)}`;
  return `${describe(owner)}; wait for it, stop it there, or choose another folder with \`out\`. It can be taken over once its lock, ${lockPath(run, number)}, has not changed for ${LEASE_SECONDS} seconds`;
}

/** "process 7 on host-a (since 2026-11-27T18:00:00.000Z by its clock)" */
export function describe({ pid, machine, since }: Owner): string {
  return `process ${pid} on ${machine}${since === undefined ? "" : ` (since ${since} by its clock)`}`;
}

/** Creates a lock atomically. Returns false if another process has taken its number. */
function place(files: Files, run: string, number: number, self: Owner): boolean {
  const prepared = preparedPath(files, run, self);
  files.remove(prepared);
  files.createFolder(prepared);
  try {
    writeLock(files, prepared, self);
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
  return ["ENOTEMPTY", "EEXIST", "ENOENT"].includes(causeOf(error));
}

/**
 * Where a process prepares its lock and puts it away. No other process uses this name: containers on several hosts
 * often have the same PIDs.
 */
function preparedPath(files: Files, run: string, { pid, machine, boot }: Owner): string {
  const host = files.sha256(new TextEncoder().encode(JSON.stringify([machine, boot])));
  return joinPath(run, `.lock-of-${pid}-${host.slice(0, 12)}`);
}
