/** Opens the backend that the flags ask for, and describes it: its name, its library and its exactness. */
import type { Backend } from "../../backend/backend.ts";
import * as backends from "../../backend/open.ts";
import { plural } from "../../util/format.ts";
import type { CommonFlags } from "../options/settings-flags.ts";
import { printPart } from "../terminal/output.ts";
import { namesToFlags } from "./explain-error.ts";

export type BackendFlags = Pick<CommonFlags, "backend" | "fast">;

/** Opens a backend by `--backend`, `--fast`, threads and NOPEEK_BLAS. Prints on stderr what is unusual about it. */
export async function openBackend(
  { backend: name, fast = false }: BackendFlags,
  threads: number,
): Promise<Backend> {
  const say = (sentence: string) => printPart("stderr", `${namesToFlags(sentence)}\n`);
  const library = process.env.NOPEEK_BLAS || null;
  const backend = await backends.openBackend(name, threads, library, { fast, say });
  if (name === "auto" && backend.library === null) {
    printPart(
      "stderr",
      `backend auto: ${backend.name}, because no fast BLAS library was found (--backend blas prints the reason)\n`,
    );
  }
  if (backend.library !== null) {
    printPart(
      "stderr",
      `matrix products by ${backend.library}: bits differ with the machine and the number of threads; on wasm they do not\n`,
    );
  }
  return backend;
}

/** Whether the fast kernels of `--fast` compute, which round once. */
export function isFast({ exact, library }: Backend): boolean {
  return !exact && library === null;
}

/** "wasm", "wasm, fast", "blas (OpenBLAS 0.3.21 in libopenblas.so.0)" */
export function nameOf(backend: Backend): string {
  const { name, library } = backend;
  if (library !== null) return `${name} (${library})`;
  return isFast(backend) ? `${name}, fast` : name;
}

/** Everything that the bits of a run depend on: "wasm", "blas (OpenBLAS 0.3.21 in libopenblas.so.0), 2 threads" */
export function computedBy(backend: Backend): string {
  return backend.library === null
    ? nameOf(backend)
    : `${nameOf(backend)}, ${plural(backend.threads, "thread")}`;
}
