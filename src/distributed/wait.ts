/** Waiting for messages that arrive without an event. */
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";

/** Most messages arrive within this many tests, a fraction of a millisecond. */
const QUICK_TESTS = 1000;
/** After these, the other ranks are busy with something else: waiting must not take their processors. */
const PATIENT_TESTS = 20_000;

/**
 * Tests until it is done.
 *
 * @param mostMs how long to wait at least; the time in which this process is suspended does not count
 * @returns whether it is done
 */
export async function waitUntil(isDone: () => boolean, mostMs: number): Promise<boolean> {
  for (let tests = 1; !isDone(); tests++) {
    // Each of the late tests takes a millisecond or more.
    if (tests > PATIENT_TESTS + mostMs) return false;
    // Signals are heard in a turn of the event loop.
    if (tests > PATIENT_TESTS) await pause(1);
    else if (tests > QUICK_TESTS) await nextTurn();
  }
  return true;
}
