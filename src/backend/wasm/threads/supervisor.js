// @ts-check
/**
 * The parent of a pool's threads. It notices when a thread ends, which the caller cannot while it is blocked in a
 * kernel. It then marks the pool as broken in shared memory and wakes the caller. Terminating the supervisor
 * terminates its threads.
 *
 * Posts one message: null when all threads are waiting for jobs, or the reason why they are not.
 */
import { parentPort, Worker, workerData } from "node:worker_threads";

/** @type {import("./pool.ts").ThreadStart & { program: string }} */
const { program, ...start } = workerData;
const { control, layout, threads } = start;
let waiting = threads.length;

for (const thread of threads) {
  const worker = new Worker(new URL(program), { workerData: { ...start, thread } });
  worker.once("message", () => {
    waiting -= 1;
    if (waiting === 0) parentPort?.postMessage(null);
  });
  worker.once("error", (error) => ended(String(error)));
  worker.once("exit", (code) => ended(`thread ${thread} ended with code ${code}`));
}

/** @param {string} why */
function ended(why) {
  Atomics.store(control, layout.ended, 1);
  Atomics.notify(control, layout.active);
  parentPort?.postMessage(why);
}
