/** Waits for the lock of a process on another host to expire, if it does. */
import { setTimeout as sleep } from "node:timers/promises";
import { LEASE_MS, LEASE_SECONDS, LeaseWatch, LOOK_MS } from "../../run/lease.ts";
import { describe, type Processes } from "../../run/lock.ts";
import { nodeFiles } from "../../run/node-files.ts";
import type { ProgressReporter } from "../../util/progress-reporter.ts";
import { nowMs as clock } from "../terminal/clock.ts";
import { processes } from "./process-lock.ts";

/** A clock, and a way to let time pass. */
export interface Waiting {
  readonly nowMs: () => number;
  readonly pause: (ms: number) => Promise<unknown>;
}

/**
 * If a process of another host holds the lock of a run, watches for a while whether it still lives.
 *
 * @returns the processes as they are known now, for `checkUnlocked` and `lockRun`
 */
export async function awaitLease(
  run: string,
  { note, status }: ProgressReporter,
  { nowMs, pause }: Waiting = { nowMs: clock, pause: sleep },
  system: Processes = processes(run),
): Promise<Processes> {
  const watch = new LeaseWatch(run, system, nodeFiles);
  for (let lock = watch.look(nowMs()); lock !== null; lock = watch.look(nowMs())) {
    const seconds = Math.ceil((LEASE_MS - watch.silentMs) / 1000);
    const text = `${run}: was locked by ${describe(lock.owner)}; waiting`;
    if (watch.silentMs === 0)
      note(
        `${text} up to ${LEASE_SECONDS} seconds for a sign that it is alive, to take over if there is none`,
      );
    status(`${text} ${seconds} s more for a sign that it is alive`);
    await pause(LOOK_MS);
  }
  status("");
  return watch.processes;
}
