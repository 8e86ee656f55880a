/** Opens the fastest backend that this browser offers. */
import type { Backend } from "../../backend/backend.ts";
import { WasmBackend } from "../../backend/wasm/host/wasm-backend.ts";
import type { EngineDescription } from "../protocol.ts";

/** An open backend, and what it is. */
export interface OpenedBackend extends EngineDescription {
  readonly opened: Backend;
}

export async function openEngineBackend(kernels: URL): Promise<OpenedBackend> {
  const module = await WebAssembly.compileStreaming(fetch(kernels));
  return { opened: new WasmBackend(module), backend: "wasm", threads: 1, missing: null };
}
