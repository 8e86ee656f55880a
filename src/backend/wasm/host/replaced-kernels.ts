/** Kernels of WebAssembly that a backend replaces by others, on each of its threads. */
import { type Replacement, ThreadPool, type ThreadStart, type Threads } from "../threads/pool.ts";
import type { Heap } from "./heap.ts";
import { type HostKernels, hostKernelNames } from "./instance.ts";
import type { KernelExports } from "./signatures.ts";

/** For the constructor of `WasmBackend`. */
export interface ReplacedKernels {
  readonly heap: Heap;
  /** null with a single thread. */
  readonly pool: ThreadPool | null;
  /** The replaced kernels that captured calls take from here. */
  readonly host: HostKernels;
  /** Replaces kernels of WebAssembly, and divides all of them among the threads. */
  readonly divide: (kernels: KernelExports) => KernelExports;
}

/**
 * Starts the threads of a backend, with the same kernels replaced on all of them.
 *
 * @param heap        made for as many threads, including the calling one
 * @param spawn       starts the other threads on the host
 * @param replacement replaces kernels on the other threads
 * @param replace     replaces them on the calling thread
 * @throws BackendError if a thread does not start
 */
export async function replaceKernelsOnThreads(
  module: WebAssembly.Module,
  heap: Heap,
  spawn: (start: ThreadStart) => Threads,
  replacement: Replacement,
  replace: (kernels: KernelExports) => KernelExports,
): Promise<ReplacedKernels> {
  const { threads } = heap;
  const pool = threads === 1 ? null : await ThreadPool.start(threads, module, heap, spawn, replacement);
  const host: HostKernels = {};
  const divide = (kernels: KernelExports) => {
    const replaced = replace(kernels);
    for (const name of hostKernelNames) if (replaced[name] !== kernels[name]) host[name] = replaced[name];
    return pool === null ? replaced : pool.share(replaced);
  };
  return { heap, pool, host, divide };
}
