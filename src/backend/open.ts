/** Opens backends by name. Each is loaded only when asked for. */
import { readFile } from "node:fs/promises";
import { platform } from "node:os";
import { BackendError, ConfigError } from "../errors.ts";
import type { Backend } from "./backend.ts";

export const BACKEND_NAMES = ["wasm", "blas", "auto", "reference"] as const;
/** "auto" is the fastest that is there: blas, or else wasm. */
export type BackendName = (typeof BACKEND_NAMES)[number];
/** The same bits everywhere. */
export const DEFAULT_BACKEND = "wasm" satisfies BackendName;

/**
 * @param threads how many compute, the calling one included; the bits are the same for any number where the backend
 *                is `exact`
 * @param library for blas: the name or path of the system's library; null for the usual ones
 * @throws BackendError when the backend cannot start
 * @throws ConfigError when it has no threads
 */
export async function openBackend(
  name: BackendName = DEFAULT_BACKEND,
  threads = 1,
  library: string | null = null,
): Promise<Backend> {
  switch (name) {
    case "reference":
      return openReference(threads);
    case "wasm":
      return openWasm(threads);
    case "blas":
      return openBlas(threads, library, false);
    case "auto":
      return openFastest(threads, library);
  }
}

async function openReference(threads: number): Promise<Backend> {
  if (threads !== 1)
    throw new ConfigError(`the reference backend computes on one thread: got --threads ${threads}`);
  const { ReferenceBackend } = await import("./reference/reference-backend.ts");
  return new ReferenceBackend();
}

async function openWasm(threads: number): Promise<Backend> {
  const { WasmBackend } = await import("./wasm/wasm-backend.ts");
  const module = await loadKernels();
  if (threads === 1) return new WasmBackend(module);
  const { startThreads } = await import("./node-thread.ts");
  return WasmBackend.onThreads(module, threads, startThreads);
}

async function openBlas(threads: number, library: string | null, knownOnly: boolean): Promise<Backend> {
  const { BlasBackend } = await import("./blas/blas-backend.ts");
  const { usualLibraries } = await import("./blas/library-names.ts");
  const { startThreads } = await import("./node-thread.ts");
  const libraries = library === null ? usualLibraries(platform()) : [library];
  return BlasBackend.open(await loadKernels(), { libraries, threads, spawn: startThreads, knownOnly });
}

/** A library that was named and does not open is a mistake to be told, not one to be passed over. */
async function openFastest(threads: number, library: string | null): Promise<Backend> {
  try {
    return await openBlas(threads, library, library === null);
  } catch (error) {
    if (library !== null || !(error instanceof BackendError)) throw error;
    return openWasm(threads);
  }
}

/** The reference in double precision, where a gradient can be compared with finite differences. */
export async function openDoubleBackend(): Promise<Backend> {
  const { ReferenceBackend } = await import("./reference/reference-backend.ts");
  return new ReferenceBackend("double");
}

/** Reads and compiles the WebAssembly kernels, which stand beside this program. */
export async function loadKernels(): Promise<WebAssembly.Module> {
  const url = new URL("./wasm/kernels.wasm", import.meta.url);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readFile(url);
  } catch {
    throw new BackendError(`wasm: ${url.pathname} is missing: build it with "npm run build:kernels"`);
  }
  return WebAssembly.compile(bytes);
}
