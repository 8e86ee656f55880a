/** Whether the engine that runs the tests has what `--fast` needs. Tests that need it skip and say so. */
import { loadFastKernels } from "../../src/backend/open.ts";

const loaded = await loadFastKernels();

/** The kernels with relaxed SIMD; null where there are none. */
export const fastKernels = typeof loaded === "string" ? null : loaded;
/** For the name of a test that is skipped without them. */
export const ifFast = typeof loaded === "string" ? ` (skipped: ${loaded})` : "";
