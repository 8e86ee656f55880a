/** Opens the fastest backend that this browser offers. */
import type { Backend } from "../../backend/backend.ts";
import { type BrowserBackendName, chooseThreads, openBackend } from "../../backend/open-browser.ts";
import { BackendError } from "../../errors.ts";
import type { EngineDescription } from "../protocol.ts";

/** An open backend, and what it is. */
export interface OpenedBackend extends EngineDescription {
  readonly opened: Backend;
}

/** The requested backend: by default wasm, with a thread for each core but one. */
export interface WantedBackend {
  readonly name: BrowserBackendName;
  readonly threads: number;
}

/** More threads gain nothing with models of this size. */
const MOST_THREADS = 4;

/**
 * What a worker's address asks for: `engine.js?backend=reference`, `engine.js?threads=2`.
 *
 * @param cores the processors of this machine; the page draws on one of them
 */
export function wantedBackend(query: string, cores: number): WantedBackend {
  const given = new URLSearchParams(query);
  const usual = Math.min(Math.max(cores - 1, 1), MOST_THREADS);
  const threads = Number(given.get("threads") ?? usual);
  return {
    name: given.get("backend") === "reference" ? "reference" : "wasm",
    threads: Number.isInteger(threads) && threads >= 1 && threads <= 64 ? threads : usual,
  };
}

/**
 * Falls back to one thread, or to the reference backend, and says why.
 *
 * @param kernels the URL of kernels.wasm
 * @param worker  the URL of the program of a thread
 */
export async function openEngineBackend(
  { name, threads: wanted }: WantedBackend,
  kernels: URL,
  worker: URL,
): Promise<OpenedBackend> {
  if (name === "reference") return reference(null);
  const { threads, why } = chooseThreads(wanted);
  try {
    const opened = await openBackend("wasm", threads, { kernels, worker });
    return { opened, backend: "wasm", threads, missing: why };
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return reference(error.message);
  }
}

async function reference(missing: string | null): Promise<OpenedBackend> {
  return { opened: await openBackend("reference"), backend: "reference", threads: 1, missing };
}
