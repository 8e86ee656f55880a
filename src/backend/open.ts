/** Opens backends by name. Each is loaded only when asked for. */
import { readFile } from "node:fs/promises";
import { BackendError } from "../errors.ts";
import type { Backend } from "./backend.ts";

export const BACKEND_NAMES = ["wasm", "reference"] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];
export const DEFAULT_BACKEND: BackendName = "wasm";

/** @throws BackendError when the backend cannot start */
export async function openBackend(name: BackendName = DEFAULT_BACKEND): Promise<Backend> {
  if (name === "reference") {
    const { ReferenceBackend } = await import("./reference/reference-backend.ts");
    return new ReferenceBackend();
  }
  const { WasmBackend } = await import("./wasm/wasm-backend.ts");
  return new WasmBackend(await loadKernels());
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
