/**
 * What every competitor speaks: JSON, a line for each message, so that one program can let them take turns.
 *
 *   in   {"kind": "training", …}                 first: the task
 *   out  {"ready": {"version", "idleBytes"}}     the library is loaded, the model stands
 *   in   {"do": "steps", "count": 5}             then: what to do, as often as wanted; the answer is one line
 *   out  {"error": "…"}                          instead of any answer
 *
 * The child ends when its input does. pytorch.py says the same in Python.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/**
 * @typedef {Readonly<Record<string, (request: never) => unknown>>} Actions by the word that "do" gives
 * @typedef {{ version: string, actions: Actions }} Competitor
 * @param {Readonly<Record<string, (task: never) => Promise<Competitor>>>} makers by the task's kind
 */
export async function serve(makers) {
  // Answers alone go to stdout, whatever a library likes to print.
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
      if (makers[message.kind] === undefined) throw new Error(`knows no task "${message.kind}"`);
      const idleBytes = peakBytes();
      /** @type {Competitor} */
      const competitor = await Reflect.apply(makers[message.kind], null, [message]);
      actions = { ...competitor.actions, memory: () => ({ peakBytes: peakBytes() }) };
      answer({ ready: { version: competitor.version, idleBytes } });
    } catch (error) {
      answer({ error: error instanceof Error ? error.message : String(error) });
    }
  }
  // Threads of a library would keep the process alive.
  process.exit(0);
}

/** @param {unknown} message */
function answer(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/**
 * Times of single calls, after some that are not counted.
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
 * The most memory that this process has held so far. Linux counts anew for each program; elsewhere the figure may
 * include what the parent held when it started this one.
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
