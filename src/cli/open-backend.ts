/** The backend that a person asks for, and what they should know of it: what computes, and whose bits these are. */
import type { Backend } from "../backend/backend.ts";
import * as backends from "../backend/open.ts";
import { plural } from "./format.ts";

/** `--backend` and `--threads`, and NOPEEK_BLAS for the library. Says on stderr what is not as usual. */
export async function openBackend(name: backends.BackendName, threads: number): Promise<Backend> {
  const backend = await backends.openBackend(name, threads, process.env.NOPEEK_BLAS || null);
  if (name === "auto" && backend.library === null) {
    process.stderr.write(
      `backend auto: ${backend.name}, for no quick BLAS library is at hand (--backend blas says why)\n`,
    );
  }
  if (!backend.exact) {
    process.stderr.write(
      `products by ${backend.library}: other bits on another machine or number of threads; on wasm they are the same\n`,
    );
  }
  return backend;
}

/** "wasm", "blas (OpenBLAS 0.3.21 in libopenblas.so.0)" */
export function nameOf({ name, library }: Backend): string {
  return library === null ? name : `${name} (${library})`;
}

/** What a run's bits depend on: "wasm", "blas (OpenBLAS 0.3.21 in libopenblas.so.0), 2 threads" */
export function computedBy(backend: Backend): string {
  return backend.exact ? nameOf(backend) : `${nameOf(backend)}, ${plural(backend.threads, "thread")}`;
}
