/** Threads of Node for the pool of the WebAssembly backend. */
import { Worker } from "node:worker_threads";
import type { Thread, ThreadStart } from "./wasm/thread-pool.ts";

export function startThread(start: ThreadStart): Thread {
  const worker = new Worker(new URL("./wasm/thread-worker.js", import.meta.url), { workerData: start });
  const ready = new Promise<void>((resolve, reject) => {
    worker.once("message", () => {
      // A thread that waits for work does not keep the program alive.
      worker.unref();
      resolve();
    });
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`it ended with code ${code}`)));
  });
  return { ready, stop: () => worker.terminate() };
}
