/** Opens backends by name. Each is loaded only when it is opened. */

import { readFile } from "node:fs/promises";
import { platform } from "node:os";
import { BackendError } from "../errors.ts";
import { checkTypes } from "../util/check-types.ts";
import type { Backend } from "./backend.ts";
import { type BackendName, checkBackend, DEFAULT_BACKEND, type OpenOptions } from "./names.ts";

export { BACKEND_NAMES, type BackendName } from "./names.ts";

/**
 * Opens a backend. Close it when done.
 *
 * @param name    auto is native where its kernels were built, otherwise wasm; both have the same bits
 * @param threads the number of computing threads, including the calling one; results do not depend on it if the backend
 *   is `exact`
 * @param library for blas: the name or path of the library; null for the usual ones
 * @throws BackendError if the backend cannot start
 * @throws ConfigError for an unknown name, a number of threads outside 1 … 64, or options that the backend lacks
 * @example const backend = await openBackend("auto", 4)
 */
export async function openBackend(
  name: BackendName = DEFAULT_BACKEND,
  threads = 1,
  library: string | null = null,
  options: OpenOptions = {},
): Promise<Backend> {
  checkBackend(name, threads, options);
  checkTypes("openBackend", { library }, { library: "string?" });
  switch (name) {
    case "reference":
      return openReference();
    case "wasm":
      return openWasm(threads, options);
    case "native":
      return openNative(threads, options);
    case "blas":
      return openBlas(threads, library);
    case "auto":
      return openExact(threads, options);
  }
}

async function openReference(): Promise<Backend> {
  const { ReferenceBackend } = await import("./reference/reference-backend.ts");
  return new ReferenceBackend();
}

async function openWasm(threads: number, { fast = false, say = () => {} }: OpenOptions): Promise<Backend> {
  const { WasmBackend } = await import("./wasm/host/wasm-backend.ts");
  const fastKernels = fast ? await tryFastKernels(say) : null;
  const [module, exact] = [fastKernels ?? (await loadKernels()), fastKernels === null];
  if (threads === 1) return new WasmBackend(module, undefined, undefined, null, exact);
  const { Heap } = await import("./wasm/host/heap.ts");
  const { startThreads } = await import("./node-thread.ts");
  return WasmBackend.onThreads(module, new Heap(undefined, threads), startThreads, exact);
}

/** The fastest backend with the bits of wasm. A machine without a compiler has no native kernels, which is no fault. */
async function openExact(threads: number, options: OpenOptions): Promise<Backend> {
  if (options.fast) return openWasm(threads, options);
  const { isNotBuilt } = await import("./native/find-library.ts");
  return isNotBuilt() ? openWasm(threads, options) : openNative(threads, options);
}

/** If there is no library that can be trusted, the wasm backend computes: it has the same bits. */
async function openNative(threads: number, options: OpenOptions): Promise<Backend> {
  const { findNativeLibrary } = await import("./native/find-library.ts");
  const { NativeBackend, parseVectors } = await import("./native/native-backend.ts");
  const { startThreads } = await import("./node-thread.ts");
  const vectors = parseVectors(options.vectors ?? null);
  try {
    const file = findNativeLibrary();
    return await NativeBackend.open(await loadKernels(), { file, vectors, threads, spawn: startThreads });
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    options.say?.(`${error.message}; wasm computes, with the same results`);
    return openWasm(threads, {});
  }
}

async function openBlas(threads: number, library: string | null): Promise<Backend> {
  const { BlasBackend } = await import("./blas/blas-backend.ts");
  const { usualLibraries } = await import("./blas/library-names.ts");
  const { startThreads } = await import("./node-thread.ts");
  const libraries = library === null ? usualLibraries(platform()) : [library];
  return BlasBackend.open(await loadKernels(), { libraries, threads, spawn: startThreads });
}

/**
 * The reference backend in double precision, for comparing gradients with finite differences.
 *
 * @example const context = new Context(await openDoubleBackend())
 */
export async function openDoubleBackend(): Promise<Backend> {
  const { ReferenceBackend } = await import("./reference/reference-backend.ts");
  return new ReferenceBackend("double");
}

/** The fast kernels, or null if this engine does not support them or computes them incorrectly. */
async function tryFastKernels(say: (sentence: string) => void): Promise<WebAssembly.Module | null> {
  const loaded = await loadFastKernels();
  if (typeof loaded !== "string") {
    say(
      "`fast`: results depend on the kind of processor and engine; without it, they are the same everywhere",
    );
    return loaded;
  }
  say(`\`fast\` is unavailable (${loaded}); using the standard kernels, results are unchanged`);
  return null;
}

/**
 * The kernels compiled with relaxed SIMD, or the reason why this engine cannot run them.
 *
 * @internal no declaration is published, because it would need types that only web pages have
 */
export async function loadFastKernels(): Promise<WebAssembly.Module | string> {
  const { hasRelaxedSimd, failedSelfTest } = await import("./wasm/host/fast.ts");
  if (!hasRelaxedSimd()) {
    return "this engine has no relaxed SIMD (Node 22 and newer have it)";
  }
  const module = await compileFile("kernels-fast.wasm");
  const failure = failedSelfTest(module);
  return failure === null ? module : `this engine's relaxed SIMD fails the self-test: ${failure}`;
}

/**
 * Reads and compiles the WebAssembly kernels, which are installed beside this program.
 *
 * @internal no declaration is published, because it would need types that only web pages have
 */
export function loadKernels(): Promise<WebAssembly.Module> {
  return compileFile("kernels.wasm");
}

async function compileFile(name: string): Promise<WebAssembly.Module> {
  const url = new URL(`./wasm/${name}`, import.meta.url);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readFile(url);
  } catch {
    throw new BackendError(`wasm: ${url.pathname} is missing: build it with "npm run build:kernels"`);
  }
  return WebAssembly.compile(bytes);
}
