/** Node worker threads for the thread pool of the wasm backend. */
import { Worker } from "node:worker_threads";
import type { ThreadStart, Threads } from "./wasm/threads/pool.ts";

/** The program of each thread. */
const threadProgram = new URL("./wasm/threads/worker.js", import.meta.url);

/**
 * Starts threads under a supervisor, an additional thread that sleeps until one of them ends. The caller cannot
 * detect this itself, because its event loop is blocked while it waits for kernels.
 *
 * @param program the program of each thread
 */
export function startThreads(start: ThreadStart, program = threadProgram): Threads {
  const supervisor = new Worker(new URL("./wasm/threads/supervisor.js", import.meta.url), {
    workerData: { ...start, program: program.href },
  });
  const ready = new Promise<void>((resolve, reject) => {
    supervisor.once("message", (ended: string | null) => {
      if (ended !== null) reject(new Error(ended));
      // Idle threads must not keep the process alive.
      supervisor.unref();
      resolve();
    });
    supervisor.once("error", reject);
    supervisor.once("exit", (code) => reject(new Error(`the supervisor ended with code ${code}`)));
  });
  return { ready, stop: () => supervisor.terminate() };
}
