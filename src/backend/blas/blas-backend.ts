/**
 * The WebAssembly backend with its matrix products handed to the system's BLAS. Memory, threads and every other kernel
 * are those of ../wasm: only the kernel `gemm` is replaced, on each thread by calls of its own.
 *
 * The library itself stays on one thread and the pool shares its calls out, as it does with every kernel. A
 * library's own threads would wait for work, spinning, on the cores on which the pool's threads run what lies between
 * two products.
 */
import { BackendError } from "../../errors.ts";
import { productWords } from "../wasm/host/gemm.ts";
import { Heap } from "../wasm/host/heap.ts";
import type { KernelExports } from "../wasm/host/signatures.ts";
import { WasmBackend } from "../wasm/host/wasm-backend.ts";
import { ThreadPool, type ThreadStart, type Threads } from "../wasm/threads/pool.ts";
import { makeGemm } from "./gemm.js";
import { openLibrary } from "./library.js";
import { HOW_TO_INSTALL } from "./library-names.ts";

/** Multiply-adds from which on BLAS is asked: below, the WebAssembly kernel is done sooner. */
const LEAST_WORK = 4096;

export interface BlasOptions {
  /** Names and paths of libraries, in the order in which they are tried. */
  readonly libraries: readonly string[];
  /** Whether a library of an unknown maker will not do: it may be slower than WebAssembly. */
  readonly knownOnly?: boolean;
  /** How many threads compute, the calling one included. */
  readonly threads: number;
  /** Starts the threads on the host. */
  readonly spawn: (start: ThreadStart) => Threads;
  readonly leastWork?: number;
}

export class BlasBackend extends WasmBackend {
  override readonly name = "blas";
  override readonly exact = false;
  override readonly library: string;

  /** Products are calls of a library, which no list of kernels can make. */
  override capture(body: () => void): null {
    body();
    return null;
  }

  private constructor(
    module: WebAssembly.Module,
    divide: (kernels: KernelExports) => KernelExports,
    heap: Heap,
    pool: ThreadPool | null,
    library: string,
  ) {
    super(module, divide, heap, pool);
    this.library = library;
  }

  /** @throws BackendError when there is no library, no koffi, or a thread does not start */
  static async open(module: WebAssembly.Module, options: BlasOptions): Promise<BlasBackend> {
    const { threads, spawn, leastWork = LEAST_WORK } = options;
    const { file, title, sgemm, address } = await findLibrary(options);
    const heap = new Heap(undefined, threads);
    const { memory } = heap;
    const replacement = {
      module: new URL("./thread-kernels.js", import.meta.url).href,
      options: { file, at: productWords, leastWork },
    };
    const pool = threads === 1 ? null : await ThreadPool.start(threads, module, heap, spawn, replacement);
    const divide = (kernels: KernelExports) => {
      const gemm = makeGemm(sgemm, address(memory), memory, kernels, productWords, leastWork);
      const replaced = { ...kernels, gemm };
      return pool === null ? replaced : pool.share(replaced);
    };
    return new BlasBackend(module, divide, heap, pool, title);
  }
}

async function findLibrary({ libraries, knownOnly }: BlasOptions) {
  let library: Awaited<ReturnType<typeof openLibrary>>;
  try {
    library = await openLibrary(libraries);
  } catch (cause) {
    throw new BackendError(
      `blas: the package koffi, which calls the library, does not load (${firstLine(cause)}): install it with ` +
        `"npm install koffi"; \`backend\` wasm does without`,
      { cause },
    );
  }
  if (library !== null && (library.known || !knownOnly)) return library;
  const found =
    library === null ? "no BLAS library" : `no BLAS library of a known maker (only ${library.title})`;
  throw new BackendError(
    `blas: ${found} was found; tried ${libraries.join(", ")}. To install one, ${HOW_TO_INSTALL}. NOPEEK_BLAS may ` +
      `hold the name or path of another; \`backend\` wasm does without`,
  );
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0];
}
