/**
 * The only place that reads the clock. System clocks can jump, and on some machines even `performance.now()` runs
 * backwards. This clock only moves forward and never repeats a reading, so durations are positive and rates finite.
 */

/** The smallest difference between two readings. */
const LEAST_MS = 1e-3;

let readMs = performance.now();
let passedMs = 0;

/** Milliseconds since an arbitrary start. */
export function nowMs(): number {
  const before = readMs;
  readMs = performance.now();
  passedMs += Math.max(LEAST_MS, readMs - before);
  return passedMs;
}
