/** The backends on which the model's guarantees are tested. */
import type { Backend } from "../../src/backend/backend.ts";
import { loadKernels } from "../../src/backend/open.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";

export const backends: readonly [name: string, open: () => Backend | Promise<Backend>][] = [
  ["reference, double", () => new ReferenceBackend("double")],
  ["reference, single", () => new ReferenceBackend("single")],
  ["wasm", async () => new WasmBackend(await loadKernels())],
];
