/** Web Workers for the thread pool of the wasm backend. */
import type { ThreadStart, Threads } from "./wasm/threads/pool.ts";

/** What is used of a page's `Worker`. TypeScript has it only in its DOM library. */
interface WebWorker {
  addEventListener(type: string, listener: (event: { readonly message?: string }) => void): void;
  postMessage(message: unknown): void;
  terminate(): void;
}

interface Page {
  readonly SharedArrayBuffer?: unknown;
  readonly Worker?: new (program: URL | string, options: { readonly type: "module" }) => WebWorker;
}

/**
 * Starts threads. They need no supervisor: a kernel that fails is caught in its thread, and nothing else ends one.
 *
 * @param program the program of each thread: wasm/threads/web-worker.js
 */
export function startWebThreads(start: ThreadStart, program: URL | string): Threads {
  const workers: WebWorker[] = [];
  const launch = async () => {
    const { Worker }: Page = globalThis;
    if (Worker === undefined) throw new Error("this browser has no workers within a worker");
    for (const thread of start.threads) {
      const worker = new Worker(program, { type: "module" });
      workers.push(worker);
      worker.postMessage({ ...start, thread });
    }
    await Promise.all(workers.map((worker) => readiness(worker, program)));
  };
  const stop = async () => {
    for (const worker of workers) worker.terminate();
  };
  return { ready: launch(), stop };
}

function readiness(worker: WebWorker, program: URL | string): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.addEventListener("message", () => resolve());
    worker.addEventListener("error", ({ message }) =>
      reject(new Error(message || `${program} does not load`)),
    );
  });
}
