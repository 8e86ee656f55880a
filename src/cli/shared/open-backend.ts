/** The backend that a person asks for, and what they should know of it: what computes, and whose bits these are. */
import type { Backend } from "../../backend/backend.ts";
import * as backends from "../../backend/open.ts";
import { plural } from "../../util/format.ts";
import type { CommonFlags } from "../options/settings-flags.ts";
import { namesToFlags } from "./explain-error.ts";

export type BackendFlags = Pick<CommonFlags, "backend" | "fast">;

/** `--backend`, `--fast` and threads, and NOPEEK_BLAS for the library. Says on stderr what is not as usual. */
export async function openBackend(
  { backend: name, fast = false }: BackendFlags,
  threads: number,
): Promise<Backend> {
  const say = (sentence: string) => process.stderr.write(`${namesToFlags(sentence)}\n`);
  const library = process.env.NOPEEK_BLAS || null;
  const backend = await backends.openBackend(name, threads, library, { fast, say });
  if (name === "auto" && backend.library === null) {
    process.stderr.write(
      `backend auto: ${backend.name}, for no quick BLAS library is at hand (--backend blas says why)\n`,
    );
  }
  if (backend.library !== null) {
    process.stderr.write(
      `products by ${backend.library}: other bits on another machine or number of threads; on wasm they are the same\n`,
    );
  }
  return backend;
}

/** Whether kernels compute that round once: `--fast`, where it was to be had. */
export function isFast({ exact, library }: Backend): boolean {
  return !exact && library === null;
}

/** "wasm", "wasm, fast", "blas (OpenBLAS 0.3.21 in libopenblas.so.0)" */
export function nameOf(backend: Backend): string {
  const { name, library } = backend;
  if (library !== null) return `${name} (${library})`;
  return isFast(backend) ? `${name}, fast` : name;
}

/** What a run's bits depend on: "wasm", "blas (OpenBLAS 0.3.21 in libopenblas.so.0), 2 threads" */
export function computedBy(backend: Backend): string {
  return backend.library === null
    ? nameOf(backend)
    : `${nameOf(backend)}, ${plural(backend.threads, "thread")}`;
}
