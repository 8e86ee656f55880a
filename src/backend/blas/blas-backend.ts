/**
 * The WebAssembly backend with its matrix products computed by the system's BLAS library. Memory, threads and all
 * other kernels are those of ../wasm. Only the kernel `gemm` is replaced, and each thread calls the library
 * separately.
 *
 * The library itself runs on one thread; the pool divides the calls, as for every kernel. A library's own threads
 * would busy-wait between products, on the cores where the pool's threads run the other kernels.
 */
import { BackendError } from "../../errors.ts";
import { productWords } from "../wasm/host/gemm.ts";
import { Heap } from "../wasm/host/heap.ts";
import { type ReplacedKernels, replaceKernelsOnThreads } from "../wasm/host/replaced-kernels.ts";
import { WasmBackend } from "../wasm/host/wasm-backend.ts";
import type { ThreadStart, Threads } from "../wasm/threads/pool.ts";
import { makeGemm } from "./gemm.js";
import { openLibrary } from "./library.js";
import { HOW_TO_INSTALL } from "./library-names.ts";

/** The smallest product, in multiply-adds, for which BLAS is used. Below it, the WebAssembly kernel is faster. */
const MIN_WORK = 4096;

export interface BlasOptions {
  /** Names and paths of libraries, in the order in which they are tried. */
  readonly libraries: readonly string[];
  /** Number of threads, including the calling one. */
  readonly threads: number;
  /** Starts the threads on the host. */
  readonly spawn: (start: ThreadStart) => Threads;
  readonly minWork?: number;
}

export class BlasBackend extends WasmBackend {
  override readonly name = "blas";
  override readonly exact = false;
  override readonly library: string;

  private constructor(module: WebAssembly.Module, replaced: ReplacedKernels, library: string) {
    super(module, replaced.divide, replaced.heap, replaced.pool, true, replaced.host);
    this.library = library;
  }

  /** @throws BackendError if there is no library or no koffi, or if a thread does not start */
  static async open(module: WebAssembly.Module, options: BlasOptions): Promise<BlasBackend> {
    const { threads, spawn, minWork = MIN_WORK } = options;
    const { file, title, sgemm, address } = await findLibrary(options);
    const heap = new Heap(undefined, threads);
    const { memory } = heap;
    const replacement = {
      module: new URL("./thread-kernels.js", import.meta.url).href,
      options: { file, at: productWords, minWork },
    };
    const replaced = await replaceKernelsOnThreads(module, heap, spawn, replacement, (kernels) => ({
      ...kernels,
      gemm: makeGemm(sgemm, address(memory), memory, kernels, productWords, minWork),
    }));
    return new BlasBackend(module, replaced, title);
  }
}

async function findLibrary({ libraries }: BlasOptions) {
  let library: Awaited<ReturnType<typeof openLibrary>>;
  try {
    library = await openLibrary(libraries);
  } catch (cause) {
    throw new BackendError(
      `blas: the package koffi, which calls the library, does not load (${firstLine(cause)}): install it with ` +
        `"npm install koffi"; \`backend\` wasm works without it`,
      { cause },
    );
  }
  if (library !== null) return library;
  throw new BackendError(
    `blas: no BLAS library was found; tried ${libraries.join(", ")}. To install one, ${HOW_TO_INSTALL}. NOPEEK_BLAS can ` +
      `name another library or its path; \`backend\` wasm works without one`,
  );
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0];
}
