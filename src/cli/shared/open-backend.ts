/** Opens the backend that the flags ask for. */
import type { Backend } from "../../backend/backend.ts";
import * as backends from "../../backend/open.ts";
import type { CommonFlags } from "../options/settings-flags.ts";
import { printPart } from "../terminal/output.ts";
import { namesToFlags } from "./explain-error.ts";

export type BackendFlags = Pick<CommonFlags, "backend" | "fast">;

/** Opens a backend by `--backend`, `--fast`, threads, NOPEEK_BLAS and NOPEEK_VECTORS. Prints on stderr what is unusual about it. */
export async function openBackend(
  { backend: name, fast = false }: BackendFlags,
  threads: number,
): Promise<Backend> {
  const say = (sentence: string) => printPart("stderr", `${namesToFlags(sentence)}\n`);
  const library = process.env.NOPEEK_BLAS || null;
  const vectors = process.env.NOPEEK_VECTORS || null;
  const backend = await backends.openBackend(name, threads, library, { fast, vectors, say });
  if (backend.library !== null) {
    printPart(
      "stderr",
      `matrix products by ${backend.library}: bits differ with the machine and the number of threads; on wasm they do not\n`,
    );
  }
  return backend;
}
