/** The engine of the page in Node: the same modules, with files from disk in place of a server's. */
import { readFile } from "node:fs/promises";
import { loadKernels } from "../../src/backend/open.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import { Engine, type Host } from "../../src/play/engine/engine.ts";
import type { KeptFiles, Shelf } from "../../src/play/engine/kept-runs.ts";
import { trainingQuestions } from "../../src/play/engine/questions.ts";
import { sectionQuestions } from "../../src/play/engine/section-questions.ts";
import type { EngineEvent, KeptRun } from "../../src/play/protocol.ts";

/** All questions of the page. */
export const questions = { ...trainingQuestions, ...sectionQuestions };

const root = new URL("../../", import.meta.url);

/** Where the page's files come from. */
function fileOf(path: string): URL {
  if (path.startsWith("model/")) return new URL(`checkpoints/tales/${path.slice("model/".length)}`, root);
  return new URL(`data/${path}`, root);
}

/** Keeps runs as the browser's database does. */
export function memoryShelf(): Shelf {
  const runs = new Map<string, KeptRun>();
  const files = new Map<string, KeptFiles>();
  return {
    list: async () => [...runs.values()],
    put: async (run, kept) => {
      runs.set(run.id, run);
      files.set(run.id, kept);
    },
    get: async (id) => files.get(id) ?? null,
    remove: async (id) => {
      runs.delete(id);
      files.delete(id);
    },
  };
}

export interface NodeEngine {
  readonly engine: Engine;
  /** All events so far. */
  readonly events: EngineEvent[];
}

/** An engine on the wasm backend with one thread. */
export async function nodeEngine(changes: Partial<Host> = {}): Promise<NodeEngine> {
  const events: EngineEvent[] = [];
  let now = 0;
  const host: Host = {
    fetch: async (path) => new Response(await readFile(fileOf(path))),
    emit: (event) => events.push(event),
    // Each reading of the clock is 60 ms later.
    now: () => (now += 60),
    shelf: memoryShelf(),
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    ...changes,
  };
  return { engine: new Engine(new WasmBackend(await loadKernels()), host), events };
}

/** Waits until the engine has stopped training. */
export async function untilStopped({ events }: NodeEngine): Promise<void> {
  const isTraining = () => {
    const last = events.findLast((event) => event.kind === "run" || event.kind === "failed");
    return last?.kind === "run" && last.run.isTraining;
  };
  while (isTraining()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The steps of all events. */
export function stepsOf({ events }: NodeEngine) {
  return events.flatMap((event) => (event.kind === "steps" ? event.steps : []));
}
