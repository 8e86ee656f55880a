import { loadKernels, openBackend } from "../../../src/backend/open.ts";
import { WasmBackend } from "../../../src/backend/wasm/host/wasm-backend.ts";
import { conformance } from "../conformance.ts";

conformance("wasm", async () => new WasmBackend(await loadKernels()));
conformance("wasm on 3 threads", () => openBackend("wasm", 3));
