/** Whether this machine has a BLAS library. Tests that need one are skipped without it, with a note in their name. */
import { platform } from "node:os";
import type { BlasOptions } from "../../src/backend/blas/blas-backend.ts";
import { usualLibraries } from "../../src/backend/blas/library-names.ts";
import { startThreads } from "../../src/backend/node-thread.ts";
import { openBackend } from "../../src/backend/open.ts";
import { BackendError } from "../../src/errors.ts";

/** The reason there is none, or null if there is one. */
export const noBlas: string | null = await openBackend("blas").then(
  async (backend) => {
    await backend.close();
    return null;
  },
  (error: unknown) => {
    if (error instanceof BackendError) return error.message;
    throw error;
  },
);

/** The package for calling it is optional. */
export const noKoffi: boolean = await import("koffi").then(
  () => false,
  () => true,
);

/** Suffix for the name of a test that is skipped without BLAS. */
export const ifBlas = noBlas === null ? "" : " (skipped: no BLAS library here)";

export function blasOptions(threads: number): BlasOptions {
  return { libraries: usualLibraries(platform()), threads, spawn: startThreads };
}
