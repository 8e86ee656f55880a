/**
 * The only place that reads the clock. Clocks are set, virtual machines are moved, and some go backwards; here time
 * only goes forwards, and no two readings are the same, so that durations are above 0 and rates are finite.
 */

/** The least that passes between two readings. */
const LEAST_MS = 1e-3;

let readMs = performance.now();
let passedMs = 0;

/** Milliseconds since some moment. */
export function nowMs(): number {
  const before = readMs;
  readMs = performance.now();
  passedMs += Math.max(LEAST_MS, readMs - before);
  return passedMs;
}
