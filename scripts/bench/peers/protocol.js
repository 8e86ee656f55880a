/**
 * The protocol of all competitors: one line of JSON per message, so that one program can let them take turns.
 *
 *   in   {"kind": "training", …}                 first: the task
 *   out  {"ready": {"version", "idleBytes"}}     the library is loaded, the model is created
 *   in   {"do": "steps", "count": 5}             then: requests, any number; each answer is one line
 *   out  {"error": "…"}                          instead of any answer
 *
 * The child exits when its input ends. pytorch.py implements the same protocol in Python.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/**
 * @typedef {Readonly<Record<string, (request: never) => unknown>>} Actions by the value of "do"
 * @typedef {{ version: string, actions: Actions }} Competitor
 * @param {Readonly<Record<string, (task: never) => Promise<Competitor>>>} factories by the task's kind
 */
export async function serve(factories) {
  // Only answers go to stdout; other output of libraries goes to stderr.
  console.log = console.error;
  /** @type {Actions | null} */
  let actions = null;
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      const message = JSON.parse(line);
      if (actions !== null) {
        answer(await Reflect.apply(actions[message.do], null, [message]));
        continue;
      }
      if (factories[message.kind] === undefined) throw new Error(`unknown task "${message.kind}"`);
      const idleBytes = peakBytes();
      /** @type {Competitor} */
      const competitor = await Reflect.apply(factories[message.kind], null, [message]);
      actions = { ...competitor.actions, memory: () => ({ peakBytes: peakBytes() }) };
      answer({ ready: { version: competitor.version, idleBytes } });
    } catch (error) {
      answer({ error: error instanceof Error ? error.message : String(error) });
    }
  }
  // Otherwise a library's threads would keep the process alive.
  process.exit(0);
}

/** @param {unknown} message */
function answer(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/**
 * Times single calls, after `warmUp` untimed ones.
 *
 * @param {{ count: number, warmUp: number }} request
 * @param {() => unknown} work
 * @returns {Promise<number[]>} milliseconds
 */
export async function timeEach({ count, warmUp }, work) {
  for (let i = 0; i < warmUp; i++) await work();
  const times = [];
  for (let i = 0; i < count; i++) {
    const startMs = performance.now();
    await work();
    times.push(performance.now() - startMs);
  }
  return times;
}

/**
 * Peak memory of this process so far. Linux counts from the start of the program; elsewhere the figure may include
 * the parent's memory at the time of the fork.
 */
function peakBytes() {
  try {
    const found = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
    if (found !== null) return 1024 * Number(found[1]);
  } catch {
    // Not Linux.
  }
  return 1024 * process.resourceUsage().maxRSS;
}
