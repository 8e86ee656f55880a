/** Whether this machine has a BLAS library, for tests that need one. Others skip and say so. */
import { platform } from "node:os";
import type { BlasOptions } from "../../src/backend/blas/blas-backend.ts";
import { usualLibraries } from "../../src/backend/blas/library-names.ts";
import { startThreads } from "../../src/backend/node-thread.ts";
import { openBackend } from "../../src/backend/open.ts";
import { BackendError } from "../../src/errors.ts";

/** Why there is none; null when there is one. */
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

/** The package that calls it is optional. */
export const noKoffi: boolean = await import("koffi").then(
  () => false,
  () => true,
);

/** For the name of a test that is skipped where there is none. */
export const ifBlas = noBlas === null ? "" : " (skipped: no BLAS library here)";

export function blasOptions(threads: number): BlasOptions {
  return { libraries: usualLibraries(platform()), threads, spawn: startThreads };
}
