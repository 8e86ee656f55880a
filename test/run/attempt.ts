/** Tries to lock a run; null if it is in use (lock.test.ts, lease.test.ts, take-over.ts). */
import { CheckpointError } from "../../src/errors.ts";
import type { RunLock } from "../../src/run/lock.ts";

export function attempt(take: () => RunLock): RunLock | null {
  try {
    return take();
  } catch (error) {
    if (error instanceof CheckpointError) return null;
    throw error;
  }
}
