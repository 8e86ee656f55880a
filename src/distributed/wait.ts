/** Waiting for messages that arrive without an event. */
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";

/** Most small messages arrive within this many tests, a fraction of a millisecond. */
const QUICK_TESTS = 200;
/** After these, the other ranks are busy with something else: waiting must not take their processors. */
const PATIENT_TESTS = 5000;
/** A process that never sleeps is suspended for longer on a busy machine, and meanwhile no message moves. */
const NAP_MS = 0.05;

const nobody = new Int32Array(new SharedArrayBuffer(4));

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
    if (tests > PATIENT_TESTS) await pause(1);
    else {
      // Timers of Node are too coarse.
      if (tests > QUICK_TESTS) suspend(NAP_MS);
      // Signals are heard in a turn of the event loop.
      await nextTurn();
    }
  }
  return true;
}

/** Stops this thread for some milliseconds or a fraction of one: no timer, promise or signal is handled meanwhile. */
export function suspend(milliseconds: number): void {
  Atomics.wait(nobody, 0, 0, milliseconds);
}
