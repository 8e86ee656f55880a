/**
 * Who writes to a run: one program at a time.
 *
 *   .lock-3/owner.json    who it is: the lock with the highest number counts
 *
 * A lock is put in place by one rename of a folder that is not empty, which fails where another stands already; so
 * of two programs that start together one gets it. The lock of a program that is dead is never broken, which two
 * could do at once: the next number is taken, and only who has that removes the older ones.
 */
import { join } from "node:path";
import { z } from "zod";
import { CheckpointError } from "../errors.ts";
import { encodeJSON } from "./checkpoint.ts";
import { explainFailures, type Files, nodeFiles } from "./files.ts";

const ownerLayout = z.strictObject({
  pid: z.int().min(1),
  /** When the process started, in words of its system; null where that cannot be learned. */
  started: z.string().nullable(),
  /** The machine's name. */
  machine: z.string(),
  /** Which start of the machine, and which numbering of its processes; null where that cannot be learned. */
  boot: z.string().nullable(),
});

/** A process, told apart from any other that has its number later. */
export type Owner = Readonly<z.infer<typeof ownerLayout>>;

/** What must be known about processes. */
export interface Processes {
  readonly self: Owner;
  /** Whether a process still runs; null where that cannot be seen from here. */
  isAlive(owner: Owner): boolean | null;
}

const LOCK = /^\.lock-([1-9]\d{0,14})$/;
const OWNER = "owner.json";
/** More rounds than this are needed only by a program that is overtaken again and again. */
const ROUNDS = 100;

/** Locks, and what a killed program left of one: names that say nothing about whether a folder is empty. */
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
   * Takes a folder for this process, until `release` or its end. The folder is made where there is none.
   *
   * @throws CheckpointError when another process that lives has it, or the folder cannot be written
   */
  static take(run: string, processes: Processes, given: Files = nodeFiles): RunLock {
    const files = explainFailures(given);
    const { self } = processes;
    files.createFolder(run);
    for (let round = 0; round < ROUNDS; round++) {
      const standing = locksIn(files, run);
      refuseLiving(files, run, standing, processes);
      const number = Math.max(0, ...standing) + 1;
      if (!place(files, run, number, self)) continue;
      const lock = new RunLock(files, run, self, number);
      try {
        // One that came between the look and the rename, after another release, is seen now; it sees this one too.
        const others = locksIn(files, run).filter((other) => other !== number);
        refuseLiving(files, run, others, processes);
        for (const other of others) if (other < number) files.remove(lockPath(run, other));
      } catch (error) {
        lock.release();
        throw error;
      }
      return lock;
    }
    throw new CheckpointError(`${run}: other processes take and leave it all the time; try again later`);
  }

  /** Gives the folder back; a second time nothing happens. */
  release(): void {
    if (this.#number === null) return;
    const gone = preparedPath(this.#run, this.#self);
    this.#files.rename(lockPath(this.#run, this.#number), gone);
    this.#number = null;
    this.#files.remove(gone);
  }
}

/** Who has a run now; null where nobody has. Changes nothing. */
export function ownerOf(run: string, processes: Processes, given: Files = nodeFiles): Owner | null {
  const files = explainFailures(given);
  const owners = locksIn(files, run).map((number) => readOwner(files, run, number));
  return owners.find((owner) => owner !== null && processes.isAlive(owner) !== false) ?? null;
}

function locksIn(files: Files, run: string): number[] {
  const numbers = files.list(run).map((name) => Number(LOCK.exec(name)?.[1] ?? 0));
  return numbers.filter((number) => number > 0);
}

function refuseLiving(files: Files, run: string, numbers: readonly number[], processes: Processes): void {
  for (const number of numbers) {
    const owner = readOwner(files, run, number);
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

/** Puts a lock in place at one moment; tells whether it is this one's. */
function place(files: Files, run: string, number: number, self: Owner): boolean {
  const prepared = preparedPath(run, self);
  files.remove(prepared);
  files.createFolder(prepared);
  files.write(join(prepared, OWNER), encodeJSON(self, OWNER));
  try {
    files.rename(prepared, lockPath(run, number));
    return true;
  } catch (error) {
    files.remove(prepared);
    if (standsInTheWay(error) || files.exists(lockPath(run, number))) return false;
    throw error;
  }
}

function standsInTheWay(error: unknown): boolean {
  const cause = error instanceof CheckpointError ? error.cause : null;
  return cause instanceof Error && "code" in cause && (cause.code === "ENOTEMPTY" || cause.code === "EEXIST");
}

/** null for what says nothing: a lock whose bytes a power loss took, or that is being given back. */
function readOwner(files: Files, run: string, number: number): Owner | null {
  try {
    const text = new TextDecoder().decode(files.read(join(lockPath(run, number), OWNER)));
    return ownerLayout.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof SyntaxError) return null;
    throw error;
  }
}

const lockPath = (run: string, number: number) => join(run, `.lock-${number}`);

/** Where a process makes its lock, and puts it away: no other process has this name. */
const preparedPath = (run: string, { pid }: Owner) => join(run, `.lock-of-${pid}`);
