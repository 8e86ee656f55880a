/** Threads of Node for the pool of the WebAssembly backend. */
import { Worker } from "node:worker_threads";
import type { ThreadStart, Threads } from "./wasm/threads/pool.ts";

/** What each thread of a pool runs. */
const threadProgram = new URL("./wasm/threads/worker.js", import.meta.url);

/**
 * Starts threads under a keeper, a further thread that sleeps until one of them ends: the caller waits for kernels
 * without turning its event loop, so nobody could tell it otherwise.
 *
 * @param program what each thread runs
 */
export function startThreads(start: ThreadStart, program = threadProgram): Threads {
  const keeper = new Worker(new URL("./wasm/threads/supervisor.js", import.meta.url), {
    workerData: { ...start, program: program.href },
  });
  const ready = new Promise<void>((resolve, reject) => {
    keeper.once("message", (ended: string | null) => {
      if (ended !== null) reject(new Error(ended));
      // Threads that wait for work do not keep the program alive.
      keeper.unref();
      resolve();
    });
    keeper.once("error", reject);
    keeper.once("exit", (code) => reject(new Error(`its keeper ended with code ${code}`)));
  });
  return { ready, stop: () => keeper.terminate() };
}
