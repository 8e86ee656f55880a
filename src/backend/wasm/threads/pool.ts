/**
 * A pool of threads over one shared memory: a kernel's range is cut into chunks, and whoever is free takes the
 * next one. Which thread computes a chunk changes no bit of it (test/backend/wasm/host/ranges.test.ts), so results are
 * the same for any number of threads.
 *
 * A job lives in a few shared words. The caller writes kernel and arguments, opens the job and wakes the threads;
 * a thread enters (`active` + 1), takes chunks while the job is open, and leaves (`active` − 1). The caller takes
 * chunks too, then closes the job and waits until nobody is inside. A thread that wakes too late finds the job
 * closed and is never waited for; so a sleeping thread costs nothing, and a job is never written while it is read.
 */
import { BackendError } from "../../../errors.ts";
import type { Heap } from "../host/heap.ts";
import { argumentsOf, type KernelExports, type KernelName, kernelNames } from "../host/signatures.ts";
import { sharingOf } from "./work-estimate.ts";

/** Places in the control words. */
const layout = {
  /** Counts jobs: threads wait for it to change. */
  generation: 0,
  /** 1 while chunks may be taken. */
  open: 1,
  /** Threads inside a job. */
  active: 2,
  /** The next chunk to take, and how many there are. */
  next: 3,
  chunks: 4,
  kernel: 5,
  /** Bytes between the scratch of one thread and the next. */
  scratchStride: 6,
  /** 1 once a kernel has trapped in a thread. */
  failed: 7,
  /** 1 once a thread has ended that nobody stopped. */
  ended: 8,
  /** Chunks begin at multiples of so many steps. */
  grain: 9,
} as const;

/** A thread looks this often for a new job before it goes to sleep: about the gap between two kernels. */
const THREAD_SPINS = 30_000;

/** What the threads are given when they start. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly jobArguments: Float64Array<SharedArrayBuffer>;
  /** Their numbers: 1 and up. The caller is thread 0. */
  readonly threads: readonly number[];
  readonly layout: typeof layout;
  /** How often to look for a new job before going to sleep. */
  readonly spins: number;
  readonly kernels: readonly KernelPlace[];
  readonly replacement: Replacement | null;
}

/** Kernels that threads do not take from WebAssembly, but from a module of JavaScript. */
export interface Replacement {
  /** The address of a module that exports `replaceKernels`. */
  readonly module: string;
  /** What that function is told; it must survive the way to a thread. */
  readonly options: unknown;
}

/** Gives other functions for some of the kernels, to be called by this thread. */
export type ReplaceKernels<Options> = (
  kernels: KernelExports,
  memory: WebAssembly.Memory,
  options: Options,
) => Promise<Partial<KernelExports>>;

/** Where a kernel's arguments hold its range and its scratch (−1: it has none). */
interface KernelPlace {
  readonly name: string;
  readonly count: number;
  readonly begin: number;
  readonly scratch: number;
}

/**
 * Running threads, as the host gives them: Node's Workers here, a page's there. When one of them ends, the host sets
 * `ended` and wakes who waits for `active`.
 */
export interface Threads {
  /** Resolves once every thread waits for jobs. */
  readonly ready: Promise<void>;
  stop(): Promise<unknown>;
}

/** Work below this many multiply-adds, or as many numbers moved, is done sooner alone than shared. */
const LEAST_WORK = 32_768;
/** The caller looks this often before it waits for the others in its sleep. */
const CALLER_SPINS = 20_000;
/** In its sleep, the caller looks this often whether a thread has ended: that may have been told just before it slept. */
const LOOK_MS = 200;
/** No kernel takes this many looks, a minute: a thread that is still inside is stuck. */
const MOST_LOOKS = 300;

type Kernel = (...args: number[]) => void;

const places: readonly KernelPlace[] = kernelNames.map((name) => ({
  name,
  count: argumentsOf(name).length,
  begin: argumentsOf(name).indexOf("begin"),
  scratch: argumentsOf(name).indexOf("scratch"),
}));

export class ThreadPool {
  /** Threads in all, the calling one included. */
  readonly count: number;
  readonly #heap: Heap;
  readonly #threads: Threads;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #jobArguments: Float64Array<SharedArrayBuffer>;

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
   * @param count       threads in all, the calling one included
   * @param spawn       starts the other threads on the host
   * @param replacement for the threads alone: the caller's kernels are those that `share` is given
   * @throws BackendError when a thread does not start
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
      throw new BackendError(`wasm: a thread did not start: ${cause}; \`threads\` 1 does without`, { cause });
    }
    return pool;
  }

  async stop(): Promise<void> {
    await this.#threads.stop();
  }

  /** The same kernels, each shared among the threads when its work repays it. */
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
    const shareOf = sharingOf(name, this.count, LEAST_WORK);
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

  /** @throws BackendError when a thread failed, ended or does not answer */
  #close(): void {
    const control = this.#control;
    Atomics.store(control, layout.open, 0);
    for (let turn = 0; turn < CALLER_SPINS && Atomics.load(control, layout.active) !== 0; turn++);
    for (let look = 0; Atomics.load(control, layout.ended) === 0; look++) {
      const active = Atomics.load(control, layout.active);
      if (active === 0) break;
      Atomics.wait(control, layout.active, active, LOOK_MS);
      if (look === MOST_LOOKS) {
        throw new BackendError(
          `wasm: ${active} of ${this.count - 1} threads did not answer; \`threads\` 1 does without`,
        );
      }
    }
    if (Atomics.load(control, layout.failed) !== 0) {
      throw new BackendError("wasm: a kernel failed in a thread; the numbers are not to be trusted");
    }
    if (Atomics.load(control, layout.ended) !== 0) {
      throw new BackendError(
        "wasm: a thread has ended in the middle of the work; the numbers are not to be trusted; `threads` 1 does without",
      );
    }
  }
}

function isKernel(value: unknown): value is Kernel {
  return typeof value === "function";
}
