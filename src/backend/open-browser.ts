/** Opens backends in a browser: the same kernels as in Node, and so the same bits. */
import { BackendError } from "../errors.ts";
import { checkChoice, checkTypes } from "../util/check-types.ts";
import type { Backend } from "./backend.ts";
import { checkThreads } from "./names.ts";
import { Heap } from "./wasm/host/heap.ts";
import { WasmBackend } from "./wasm/host/wasm-backend.ts";
import { startWebThreads } from "./web-thread.ts";

export const BROWSER_BACKENDS = ["wasm", "reference"] as const;
export type BrowserBackendName = (typeof BROWSER_BACKENDS)[number];

export interface BrowserOptions {
  /** The URL of kernels.wasm. Default: where the package has it. */
  readonly kernels?: URL | string;
  /** The URL of wasm/threads/web-worker.js, which a bundle may contain. Default: where the package has it. */
  readonly worker?: URL | string;
  /** The most memory that wasm may use. Default: 4 GiB, or as much as the browser grants. */
  readonly maximumBytes?: number;
}

/** A number of threads, and why it is 1 although more were wanted; null if it is as wanted. */
export interface ThreadChoice {
  readonly threads: number;
  readonly why: string | null;
}

/** What is read of a page's globals. TypeScript has some of them only in its DOM library. */
interface Page {
  readonly crossOriginIsolated?: boolean;
  readonly SharedArrayBuffer?: unknown;
  readonly WebAssembly?: unknown;
}

const SLOW = "`backend` reference works without it, and is slow";
const GIBIBYTE = 2 ** 30;
/** iOS refuses to reserve 4 GiB of addresses, and some of its devices 1 GiB. */
const MEMORY_LIMITS = [4 * GIBIBYTE, 2 * GIBIBYTE, GIBIBYTE, GIBIBYTE / 2];

/** A module with one function that uses 128-bit SIMD: `i8x16.splat` (0xfd, 15) of 0. */
// biome-ignore format: a section a line: preamble, type, function, code.
const simd = Uint8Array.of(
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  1, 5, 1, 0x60, 0, 1, 0x7b,
  3, 2, 1, 0,
  10, 8, 1, 6, 0, 0x41, 0, 0xfd, 15, 0x0b,
);

/**
 * Opens a backend. Close it when done. With several threads, open it in a worker: the caller waits for the other
 * threads, which browsers allow there only.
 *
 * @param threads the number of computing threads wanted, including the calling one; `chooseThreads` says how many there
 *   will be. Results do not depend on it
 * @throws BackendError if the backend cannot start, and on a page's main thread for more than one thread
 * @throws ConfigError for an unknown name, or a number of threads outside 1 … 64
 * @example const backend = await openBackend("wasm", 4)
 */
export async function openBackend(
  name: BrowserBackendName = "wasm",
  threads = 1,
  options: BrowserOptions = {},
): Promise<Backend> {
  checkChoice("backend", name, BROWSER_BACKENDS);
  checkThreads(threads);
  checkTypes("openBackend", { options }, { options: "object" });
  if (name === "wasm") return openWasm(threads, options);
  // Loaded only when it is opened.
  const { ReferenceBackend } = await import("./reference/reference-backend.ts");
  return new ReferenceBackend();
}

/**
 * How many threads there will be if `wanted` are asked for. Several need memory that they share, which a browser has
 * only on pages that are isolated from other sites.
 *
 * @example const { threads, why } = chooseThreads(navigator.hardwareConcurrency - 1)
 */
export function chooseThreads(wanted: number): ThreadChoice {
  checkThreads(wanted);
  if (wanted === 1) return { threads: 1, why: null };
  const page: Page = globalThis;
  if (page.crossOriginIsolated !== true) {
    const headers = "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
    return { threads: 1, why: `the page is not isolated: it must be served with ${headers}` };
  }
  if (page.SharedArrayBuffer === undefined)
    return { threads: 1, why: "this browser shares no memory between threads" };
  return { threads: wanted, why: null };
}

async function openWasm(wanted: number, options: BrowserOptions): Promise<Backend> {
  const {
    kernels = new URL("./wasm/kernels.wasm", import.meta.url),
    worker = new URL("./wasm/threads/web-worker.js", import.meta.url),
    maximumBytes,
  } = options;
  const { threads } = chooseThreads(wanted);
  if (threads > 1) checkMayWait();
  const module = await compileKernels(kernels);
  const heap = makeHeap(maximumBytes === undefined ? MEMORY_LIMITS : [maximumBytes], threads);
  if (threads === 1) return new WasmBackend(module, undefined, heap);
  return WasmBackend.onThreads(module, heap, (start) => startWebThreads(start, worker));
}

/** @throws BackendError on a page's main thread */
function checkMayWait(): void {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
  } catch (cause) {
    throw new BackendError(
      "wasm: several threads must be opened in a worker, because a page's main thread may not wait for them; `threads` 1 works here",
      { cause },
    );
  }
}

/** @throws BackendError if they cannot be loaded, or the browser cannot run them */
async function compileKernels(url: URL | string): Promise<WebAssembly.Module> {
  const page: Page = globalThis;
  if (page.WebAssembly === undefined)
    throw new BackendError(`wasm: this browser has no WebAssembly; ${SLOW}`);
  if (!WebAssembly.validate(simd))
    throw new BackendError(`wasm: this browser's WebAssembly has no 128-bit SIMD; ${SLOW}`);
  const response = await load(url);
  try {
    // Compiling while loading needs this type, which not every server knows.
    const streams = response.headers.get("Content-Type") === "application/wasm";
    return await (streams
      ? WebAssembly.compileStreaming(response)
      : WebAssembly.compile(await response.arrayBuffer()));
  } catch (cause) {
    throw new BackendError(`wasm: ${url} does not compile (${cause})`, { cause });
  }
}

async function load(url: URL | string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new BackendError(`wasm: ${url} does not load (${cause})`, { cause });
  }
  if (response.ok) return response;
  throw new BackendError(`wasm: ${url} does not load: the server answers ${response.status}`);
}

/** Memory with the first limit that the browser accepts. */
function makeHeap(limits: readonly number[], threads: number): Heap {
  const [limit, ...smaller] = limits;
  try {
    return new Heap(limit, threads);
  } catch (error) {
    if (smaller.length === 0 || !(error instanceof BackendError)) throw error;
    return makeHeap(smaller, threads);
  }
}
