/**
 * The WebAssembly backend with its heaviest kernels in C, in the widest vectors of the CPU and with the same bits. Memory,
 * threads and all other kernels are those of ../wasm.
 */
import { BackendError } from "../../errors.ts";
import { checkChoice } from "../../util/check-types.ts";
import { productWords } from "../wasm/host/gemm.ts";
import { Heap } from "../wasm/host/heap.ts";
import { type ReplacedKernels, replaceKernelsOnThreads } from "../wasm/host/replaced-kernels.ts";
import { WasmBackend } from "../wasm/host/wasm-backend.ts";
import type { ThreadStart, Threads } from "../wasm/threads/pool.ts";
import { keepSmallCalls } from "./keep-small-calls.ts";
import { argumentTypes, kernelsOfRows } from "./kernel-table.ts";
import { type NativeLibrary, openNativeLibrary, VECTORS, type Vectors } from "./library.js";
import { replaceKernels } from "./replace-kernels.js";

export interface NativeOptions {
  /** The path of the library: `findNativeLibrary` of find-library.ts. */
  readonly file: string;
  /** The widest vectors to use; null for those that the CPU has. */
  readonly vectors?: Vectors | null;
  /** Number of threads, including the calling one. */
  readonly threads: number;
  /** Starts the threads on the host. */
  readonly spawn: (start: ThreadStart) => Threads;
  /** Whether to compute even those calls in C that are faster in WebAssembly, for tests. */
  readonly always?: boolean;
}

export class NativeBackend extends WasmBackend {
  override readonly name = "native";
  /** The vectors in use. */
  readonly vectors: Vectors;

  private constructor(module: WebAssembly.Module, replaced: ReplacedKernels, vectors: Vectors) {
    super(module, replaced.divide, replaced.heap, replaced.pool, true, replaced.host);
    this.vectors = vectors;
  }

  /** @throws BackendError if the library or koffi does not open, or if a thread does not start */
  static async open(module: WebAssembly.Module, options: NativeOptions): Promise<NativeBackend> {
    const { file, threads, spawn, always = false } = options;
    const library = await openLibrary(file, options.vectors ?? null);
    const { vectors } = library;
    const heap = new Heap(undefined, threads);
    const wide = vectors !== "plain";
    const choices = { at: productWords, wide, rows: always || wide ? kernelsOfRows : [], always };
    const replacement = {
      module: new URL("./thread-kernels.js", import.meta.url).href,
      options: { file, vectors, types: argumentTypes, choices },
    };
    const replaced = await replaceKernelsOnThreads(module, heap, spawn, replacement, (kernels) => {
      const native = replaceKernels(library, heap.memory, kernels, choices);
      return always ? native : keepSmallCalls(native, kernels, heap);
    });
    return new NativeBackend(module, replaced, vectors);
  }
}

/** @throws ConfigError if there are no such vectors */
export function parseVectors(name: string | null): Vectors | null {
  if (name === null) return null;
  checkChoice("vectors", name, VECTORS);
  return VECTORS.find((vectors) => vectors === name) ?? null;
}

async function openLibrary(file: string, vectors: Vectors | null): Promise<NativeLibrary> {
  try {
    return await openNativeLibrary(file, vectors, argumentTypes);
  } catch (cause) {
    const reason = String(cause instanceof Error ? cause.message : cause).split("\n")[0];
    throw new BackendError(`native: the library does not open (${reason})`, { cause });
  }
}
