/**
 * A pool of threads over one shared memory. A kernel's range is cut into chunks, and each free thread takes the next
 * chunk. The thread that computes a chunk does not affect its bits (test/backend/wasm/host/ranges.test.ts), so
 * results are the same for any number of threads.
 *
 * A job is a few shared words. The caller writes the kernel and its arguments, opens the job and wakes the threads. A
 * thread enters (`active` + 1), takes chunks while the job is open, and leaves (`active` − 1). The caller takes
 * chunks too, then closes the job and waits until no thread is inside. A thread that wakes up too late finds the job
 * closed, and the caller does not wait for it. So a sleeping thread costs nothing, and no job is written while it is
 * read.
 */
import { BackendError } from "../../../errors.ts";
import type { Heap } from "../host/heap.ts";
import { argumentsOf, type KernelExports, type KernelName, kernelNames } from "../host/signatures.ts";
import { sharingOf } from "./work-estimate.ts";

/** Indices into the control words. */
const layout = {
  /** Number of jobs so far. Threads wait for it to change. */
  generation: 0,
  /** 1 while chunks may be taken. */
  open: 1,
  /** Threads inside a job. */
  active: 2,
  /** The next chunk to take, and the number of chunks. */
  next: 3,
  chunks: 4,
  kernel: 5,
  /** Bytes between the scratch of one thread and the next. */
  scratchStride: 6,
  /** 1 after a kernel has trapped in a thread. */
  failed: 7,
  /** 1 after a thread has ended unexpectedly. */
  ended: 8,
  /** Chunks begin at multiples of this number of steps. */
  grain: 9,
} as const;

/** Number of times a thread polls for a new job before it sleeps: about the gap between two kernels. */
const THREAD_SPINS = 30_000;

/** Start-up data of the threads. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
  readonly jobArguments: Float64Array;
  /** Thread numbers, starting at 1. The caller is thread 0. */
  readonly threads: readonly number[];
  readonly layout: typeof layout;
  /** Number of times to poll for a new job before sleeping. */
  readonly spins: number;
  readonly kernels: readonly KernelPlace[];
  readonly replacement: Replacement | null;
}

/** Kernels that threads take from a JavaScript module instead of WebAssembly. */
export interface Replacement {
  /** The URL of a module that exports `replaceKernels`. */
  readonly module: string;
  /** The argument of that function; must be structured-cloneable. */
  readonly options: unknown;
}

/** Returns replacements for some of the kernels, for use on the calling thread. */
export type ReplaceKernels<Options> = (
  kernels: KernelExports,
  memory: WebAssembly.Memory,
  options: Options,
) => Promise<Partial<KernelExports>>;

/** Where a kernel's arguments hold its range and its scratch (−1 if it has none). */
interface KernelPlace {
  readonly name: string;
  readonly count: number;
  readonly begin: number;
  readonly scratch: number;
}

/**
 * Running threads, as provided by the host (Node or a web page). When a thread ends, the host sets `ended` and wakes
 * any waiter on `active`.
 */
export interface Threads {
  /** Resolves when all threads are waiting for jobs. */
  readonly ready: Promise<void>;
  stop(): Promise<unknown>;
}

/** Below this many multiply-adds, or numbers moved, one thread is faster than several. */
const MIN_WORK = 32_768;
/** Number of times the caller polls before it sleeps until the others finish. */
const CALLER_SPINS = 20_000;
/**
 * While sleeping, the caller checks at this interval whether a thread has ended: the notification may precede the
 * sleep.
 */
const CHECK_INTERVAL_MS = 200;
/** After this many checks (a minute), a thread that is still inside is stuck: no kernel takes that long. */
const MAX_CHECKS = 300;

type Kernel = (...args: number[]) => void;

const places: readonly KernelPlace[] = kernelNames.map((name) => ({
  name,
  count: argumentsOf(name).length,
  begin: argumentsOf(name).indexOf("begin"),
  scratch: argumentsOf(name).indexOf("scratch"),
}));

export class ThreadPool {
  /** Total number of threads, including the calling one. */
  readonly count: number;
  readonly #heap: Heap;
  readonly #threads: Threads;
  readonly #control: Int32Array;
  readonly #jobArguments: Float64Array;

  private constructor(
    count: number,
    heap: Heap,
    threads: Threads,
    start: Pick<ThreadStart, "control" | "jobArguments">,
  ) {
    this.count = count;
    this.#heap = heap;
    this.#threads = threads;
    this.#control = start.control;
    this.#jobArguments = start.jobArguments;
  }

  /**
   * @param count       total number of threads, including the calling one
   * @param spawn       starts the other threads on the host
   * @param replacement for the other threads only; the caller's kernels are the argument of `share`
   * @throws BackendError if a thread does not start
   */
  static async start(
    count: number,
    module: WebAssembly.Module,
    heap: Heap,
    spawn: (start: ThreadStart) => Threads,
    replacement: Replacement | null = null,
  ): Promise<ThreadPool> {
    const shared = {
      control: new Int32Array(new SharedArrayBuffer(4 * 16)),
      jobArguments: new Float64Array(new SharedArrayBuffer(8 * 32)),
    };
    const threads = spawn({
      module,
      memory: heap.memory,
      ...shared,
      threads: Array.from({ length: count - 1 }, (_, i) => i + 1),
      layout,
      spins: THREAD_SPINS,
      kernels: places,
      replacement,
    });
    const pool = new ThreadPool(count, heap, threads, shared);
    try {
      await threads.ready;
    } catch (cause) {
      await pool.stop();
      throw new BackendError(`wasm: a thread did not start: ${cause}; \`threads\` 1 works without them`, {
        cause,
      });
    }
    return pool;
  }

  async stop(): Promise<void> {
    await this.#threads.stop();
  }

  /** The same kernels, each divided among the threads if it has enough work. */
  share(kernels: KernelExports): KernelExports {
    const shared = { ...kernels };
    kernelNames.forEach((name, index) => {
      const kernel: unknown = kernels[name];
      if (places[index].begin < 0 || !isKernel(kernel)) return;
      Object.assign(shared, { [name]: this.#sharing(kernel, name, index) });
    });
    return shared;
  }

  #sharing(alone: Kernel, name: KernelName, index: number): Kernel {
    const place = places[index];
    const shareOf = sharingOf(name, this.count, MIN_WORK);
    return (...args) => {
      const { chunks, grain } = shareOf(args, this.#heap.parameterWords);
      if (chunks < 2) return alone(...args);
      this.#open(index, args, chunks, grain);
      this.#takePart(alone, place, args, chunks, grain);
      this.#close();
    };
  }

  #open(kernel: number, args: readonly number[], chunks: number, grain: number): void {
    const control = this.#control;
    this.#jobArguments.set(args);
    control[layout.kernel] = kernel;
    control[layout.chunks] = chunks;
    control[layout.grain] = grain;
    control[layout.scratchStride] = this.#heap.scratchStride;
    Atomics.store(control, layout.next, 0);
    Atomics.store(control, layout.open, 1);
    Atomics.add(control, layout.generation, 1);
    Atomics.notify(control, layout.generation);
  }

  #takePart(
    kernel: Kernel,
    place: KernelPlace,
    args: readonly number[],
    chunks: number,
    grain: number,
  ): void {
    const own = [...args];
    const [begin, end] = [args[place.begin], args[place.begin + 1]];
    const units = Math.ceil((end - begin) / grain);
    for (;;) {
      const chunk = Atomics.add(this.#control, layout.next, 1);
      if (chunk >= chunks) return;
      own[place.begin] = begin + grain * Math.floor((units * chunk) / chunks);
      own[place.begin + 1] = Math.min(end, begin + grain * Math.floor((units * (chunk + 1)) / chunks));
      kernel(...own);
    }
  }

  /** @throws BackendError if a thread failed, ended or does not respond */
  #close(): void {
    const control = this.#control;
    Atomics.store(control, layout.open, 0);
    for (let turn = 0; turn < CALLER_SPINS && Atomics.load(control, layout.active) !== 0; turn++);
    for (let check = 0; Atomics.load(control, layout.ended) === 0; check++) {
      const active = Atomics.load(control, layout.active);
      if (active === 0) break;
      Atomics.wait(control, layout.active, active, CHECK_INTERVAL_MS);
      if (check === MAX_CHECKS) {
        throw new BackendError(
          `wasm: ${active} of ${this.count - 1} threads did not respond; \`threads\` 1 works without them`,
        );
      }
    }
    if (Atomics.load(control, layout.failed) !== 0) {
      throw new BackendError("wasm: a kernel failed in a thread; its results are unreliable");
    }
    if (Atomics.load(control, layout.ended) !== 0) {
      throw new BackendError(
        "wasm: a thread ended during a computation; the results are unreliable; `threads` 1 works without them",
      );
    }
  }
}

function isKernel(value: unknown): value is Kernel {
  return typeof value === "function";
}
