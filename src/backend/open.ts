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

export interface OpenOptions {
  /** For wasm: lets kernels round once where they multiply and add, if the engine can: see wasm/kernels/multiply-add.ts. */
  readonly fast?: boolean;
  /** Told, in a sentence, what `fast` has come to. */
  readonly say?: (sentence: string) => void;
}

/**
 * @param threads how many compute, the calling one included; the bits are the same for any number where the backend
 *                is `exact`
 * @param library for blas: the name or path of the system's library; null for the usual ones
 * @throws BackendError when the backend cannot start
 * @throws ConfigError when it has no threads, or is not to be had fast
 */
export async function openBackend(
  name: BackendName = DEFAULT_BACKEND,
  threads = 1,
  library: string | null = null,
  options: OpenOptions = {},
): Promise<Backend> {
  checkBackend(name, threads, options);
  switch (name) {
    case "reference":
      return openReference();
    case "wasm":
      return openWasm(threads, options);
    case "blas":
      return openBlas(threads, library, false);
    case "auto":
      return openFastest(threads, library, options);
  }
}

/**
 * Checks that a backend has the options asked for, without opening it.
 *
 * @throws ConfigError when it has not
 */
export function checkBackend(name: BackendName, threads: number, { fast = false }: OpenOptions = {}): void {
  if (fast && name !== "wasm" && name !== "auto")
    throw new ConfigError(`\`fast\` is for the kernels of \`backend\` wasm: got \`backend\` ${name}`);
  if (name === "reference" && threads !== 1)
    throw new ConfigError(`the reference backend computes on one thread: got \`threads\` ${threads}`);
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
  const { startThreads } = await import("./node-thread.ts");
  return WasmBackend.onThreads(module, threads, startThreads, exact);
}

async function openBlas(threads: number, library: string | null, knownOnly: boolean): Promise<Backend> {
  const { BlasBackend } = await import("./blas/blas-backend.ts");
  const { usualLibraries } = await import("./blas/library-names.ts");
  const { startThreads } = await import("./node-thread.ts");
  const libraries = library === null ? usualLibraries(platform()) : [library];
  return BlasBackend.open(await loadKernels(), { libraries, threads, spawn: startThreads, knownOnly });
}

/** A library that was named and does not open is a mistake to be told, not one to be passed over. */
async function openFastest(threads: number, library: string | null, options: OpenOptions): Promise<Backend> {
  try {
    return await openBlas(threads, library, library === null);
  } catch (error) {
    if (library !== null || !(error instanceof BackendError)) throw error;
    return openWasm(threads, options);
  }
}

/** The reference in double precision, where a gradient can be compared with finite differences. */
export async function openDoubleBackend(): Promise<Backend> {
  const { ReferenceBackend } = await import("./reference/reference-backend.ts");
  return new ReferenceBackend("double");
}

/** The kernels that round once; null where this engine has not what they need, or computes it wrong. */
async function tryFastKernels(say: (sentence: string) => void): Promise<WebAssembly.Module | null> {
  const loaded = await loadFastKernels();
  if (typeof loaded !== "string") {
    say("`fast`: other bits on another kind of processor or engine; without it they are the same everywhere");
    return loaded;
  }
  say(`\`fast\` is unavailable: ${loaded}; the standard kernels compute instead, and results are unchanged`);
  return null;
}

/**
 * The kernels compiled with relaxed SIMD, or why this engine cannot run them.
 *
 * @internal no declaration is published: it would ask for types that only programs of a page have
 */
export async function loadFastKernels(): Promise<WebAssembly.Module | string> {
  const { hasRelaxedSimd, whatIsWrong } = await import("./wasm/host/fast.ts");
  if (!hasRelaxedSimd()) {
    return "this engine has no relaxed SIMD (Node 22 and newer have it)";
  }
  const module = await compileFile("kernels-fast.wasm");
  const wrong = whatIsWrong(module);
  return wrong === null ? module : `this engine's relaxed SIMD does not pass its test (${wrong})`;
}

/**
 * Reads and compiles the WebAssembly kernels, which stand beside this program.
 *
 * @internal no declaration is published: it would ask for types that only programs of a page have
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
