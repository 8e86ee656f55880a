/** The names of the backends, what each can be asked for, and what an open one is called. */
import { ConfigError } from "../errors.ts";
import { checkChoice, checkTypes, describeValue } from "../util/check-types.ts";
import { plural } from "../util/format.ts";
import type { Backend } from "./backend.ts";

export const BACKEND_NAMES = ["auto", "wasm", "native", "blas", "reference"] as const;
/** "auto" is native where its kernels were built, otherwise wasm: the same bits. */
export type BackendName = (typeof BACKEND_NAMES)[number];
/** Has the same bits on every machine. */
export const DEFAULT_BACKEND = "auto" satisfies BackendName;

/** At the sizes of these models, more threads gain nothing. */
export const MOST_THREADS = 64;

export interface OpenOptions {
  /**
   * For wasm: use kernels that round once per multiply-add, if the engine supports it. See
   * wasm/kernels/multiply-add.ts.
   */
  readonly fast?: boolean;
  /** For native: the widest vectors to use; null for those that the CPU has. Results do not depend on them. */
  readonly vectors?: string | null;
  /** Called with a sentence that explains whether the fast or native kernels are in use. */
  readonly say?: (sentence: string) => void;
}

/**
 * Checks that a backend supports the requested options, without opening it.
 *
 * @throws ConfigError if it does not
 */
export function checkBackend(name: BackendName, threads: number, options: OpenOptions = {}): void {
  checkChoice("backend", name, BACKEND_NAMES);
  checkTypes("openBackend", { options }, { options: "object" });
  const { fast = false, vectors = null, say } = options;
  checkTypes(
    "openBackend",
    { fast, vectors, say },
    { fast: "boolean", vectors: "string?", say: "function?" },
  );
  checkThreads(threads);
  if (fast && name !== "wasm" && name !== "auto")
    throw new ConfigError(`\`fast\` needs \`backend\` wasm: got \`backend\` ${name}`);
  if (name === "reference" && threads !== 1)
    throw new ConfigError(`the reference backend has one thread: got \`threads\` ${threads}`);
}

/** @throws ConfigError for a number of threads outside 1 … 64 */
export function checkThreads(threads: number): void {
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return;
  throw new ConfigError(
    `\`threads\` must be a whole number in 1 … ${MOST_THREADS}: got ${describeValue(threads)}`,
  );
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

/**
 * Everything that the bits of a run depend on: "wasm", "blas (OpenBLAS 0.3.21 in libopenblas.so.0), 2 threads". Native
 * kernels have the bits of wasm.
 */
export function computedBy(backend: Backend): string {
  if (backend.name === "native") return "wasm";
  return backend.library === null
    ? nameOf(backend)
    : `${nameOf(backend)}, ${plural(backend.threads, "thread")}`;
}
