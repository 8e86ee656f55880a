import { expect, it } from "vitest";
import { waitUntil } from "../../src/distributed/wait.ts";

it("waits until a message is there, after few or many tests", async () => {
  for (const needed of [1, 2, 300, 5005]) {
    let tests = 0;
    expect(await waitUntil(() => ++tests === needed, 60_000)).toBe(true);
    expect(tests).toBe(needed);
  }
});

it("gives up after the time that it is given, and not before", async () => {
  for (const mostMs of [0, 30]) {
    const startMs = performance.now();
    expect(await waitUntil(() => false, mostMs)).toBe(false);
    // Timers of Node may be early by a millisecond.
    expect(performance.now() - startMs).toBeGreaterThan(mostMs / 2);
  }
});

it("lets other work of the process run meanwhile, such as listeners for signals", async () => {
  let heard = false;
  setImmediate(() => {
    heard = true;
  });
  expect(await waitUntil(() => heard, 60_000)).toBe(true);
});

it.skipIf(process.platform === "win32")(
  "sleeps between tests when a message is late, so that others can use the processor",
  async () => {
    const switches = () => process.resourceUsage().voluntaryContextSwitches;
    const before = switches();
    let tests = 0;
    await waitUntil(() => ++tests === 2000, 60_000);
    expect(switches() - before).toBeGreaterThan(1000);
  },
);
