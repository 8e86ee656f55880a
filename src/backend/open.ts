/** Opens backends by name. Each is loaded only when asked for. */
import { readFile } from "node:fs/promises";
import { BackendError, ConfigError } from "../errors.ts";
import type { Backend } from "./backend.ts";

export const BACKEND_NAMES = ["wasm", "reference"] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];
export const DEFAULT_BACKEND: BackendName = "wasm";

/**
 * @param threads for wasm: how many compute, the calling one included; the bits are the same for any number
 * @throws BackendError when the backend cannot start
 * @throws ConfigError when it has no threads
 */
export async function openBackend(name: BackendName = DEFAULT_BACKEND, threads = 1): Promise<Backend> {
  if (name === "reference") {
    if (threads !== 1)
      throw new ConfigError(`the reference backend computes on one thread: got --threads ${threads}`);
    const { ReferenceBackend } = await import("./reference/reference-backend.ts");
    return new ReferenceBackend();
  }
  const { WasmBackend } = await import("./wasm/wasm-backend.ts");
  const module = await loadKernels();
  if (threads === 1) return new WasmBackend(module);
  const { startThread } = await import("./node-thread.ts");
  return WasmBackend.onThreads(module, threads, startThread);
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
