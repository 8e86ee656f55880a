/**
 * Whether this JavaScript engine supports `--fast`. Tests that need it are skipped without it, with a note in their
 * name.
 */
import { loadFastKernels } from "../../src/backend/open.ts";

const loaded = await loadFastKernels();

/** The kernels with relaxed SIMD, or null. */
export const fastKernels = typeof loaded === "string" ? null : loaded;
/** Suffix for the name of a test that is skipped without them. */
export const ifFast = typeof loaded === "string" ? ` (skipped: ${loaded})` : "";
