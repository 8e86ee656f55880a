/**
 * Locks of other hosts. No process here can ask the system whether one there is alive. So the holder of a lock
 * changes its heartbeat file every `BEAT_MS`, and another host takes over after it has seen no change for `LEASE_MS`.
 *
 * Clocks of two hosts are never compared: what counts is how long the waiting process has watched an unchanged file.
 * Times at which it could not look, because it was paused or the disk did not answer, hardly count: then the holder may
 * not have reached the disk either.
 */
import { explainFailures, type Files } from "./files.ts";
import { type LockState, locksIn, type Processes } from "./lock-files.ts";

/** Time between two changes by the holder. */
export const BEAT_MS = 10_000;
/** Silence after which the holder is taken for dead: several changes that failed, or came late. */
export const LEASE_MS = 60_000;
export const LEASE_SECONDS = LEASE_MS / 1000;
/** Time between two looks of a process that waits. */
export const LOOK_MS = 1000;

/** Watches the locks of other hosts on a run. */
export class LeaseWatch {
  readonly #run: string;
  readonly #processes: Processes;
  readonly #files: Files;
  #first: string | null = null;
  #lookedMs = 0;
  #silentMs = 0;
  /** The locks that have been silent for long enough. */
  #expired: ReadonlySet<string> = new Set();

  constructor(run: string, processes: Processes, files: Files) {
    this.#run = run;
    this.#processes = processes;
    this.#files = explainFailures(files);
  }

  /**
   * Looks at the locks once.
   *
   * @param nowMs by any clock that only moves forward
   * @returns the lock to wait for; null when there is nothing to wait for: no lock of another host, one that has
   *   expired, or one that has changed, whose holder is alive
   */
  look(nowMs: number): LockState | null {
    const locks = this.#unknown();
    if (locks.length === 0) return null;
    const seen = locks.map(keyOf);
    const all = JSON.stringify(seen);
    // The first look, or another state than the one that is watched.
    if (this.#first === null) this.#first = all;
    else if (this.#first !== all) return null;
    else this.#silentMs += Math.min(nowMs - this.#lookedMs, 2 * LOOK_MS);
    this.#lookedMs = nowMs;
    if (this.#silentMs < LEASE_MS) return locks[0];
    this.#expired = new Set(seen);
    return null;
  }

  /** How long the locks have not changed while they were watched. */
  get silentMs(): number {
    return this.#silentMs;
  }

  /** Processes of which those whose lock has expired count as dead, as long as that lock does not change. */
  get processes(): Processes {
    const { self } = this.#processes;
    const expired = this.#expired;
    return {
      self,
      isAlive: (owner, heartbeat = null) => {
        const alive = this.#processes.isAlive(owner, heartbeat);
        return alive === null && expired.has(keyOf({ owner, heartbeat })) ? false : alive;
      },
    };
  }

  /** The locks with a heartbeat whose holder cannot be seen from here. */
  #unknown(): LockState[] {
    if (!this.#files.exists(this.#run)) return [];
    return locksIn(this.#files, this.#run).filter(
      ({ owner, heartbeat }) => heartbeat !== null && this.#processes.isAlive(owner, heartbeat) === null,
    );
  }
}

const keyOf = ({ owner, heartbeat }: Pick<LockState, "owner" | "heartbeat">) =>
  JSON.stringify([owner, heartbeat]);
