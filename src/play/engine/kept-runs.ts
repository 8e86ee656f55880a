/** Runs that the browser keeps, so that a reload loses little: the latest checkpoint of each of the last few. */
import { CheckpointError } from "../../errors.ts";
import type { KeptRun } from "../protocol.ts";
import type { Engine } from "./engine.ts";
import type { readGivenRun } from "./given-run.ts";
import { readOwnText } from "./text.ts";
import type { TrainingRun } from "./training-run.ts";

/** The files of a run by their paths, and the person's own text that it trains on. */
export interface KeptFiles {
  readonly files: readonly (readonly [path: string, bytes: Uint8Array])[];
  readonly text: { readonly name: string; readonly file: Blob } | null;
}

/** Where runs are kept. Every function fails if the browser refuses to store anything. */
export interface Shelf {
  /** In the order in which they were put there first. */
  list(): Promise<readonly KeptRun[]>;
  put(run: KeptRun, files: KeptFiles): Promise<void>;
  get(id: string): Promise<KeptFiles | null>;
  remove(id: string): Promise<void>;
}

/** The run in training, and others. */
const MOST_RUNS = 3;
const LEAST_MS = 5000;
/** Keeping takes at most this share of the time. */
const SHARE = 0.05;

export class KeptRuns {
  readonly #engine: Engine;
  readonly #shelf: Shelf;
  #run: TrainingRun | null = null;
  #id = "";
  #step = 0;
  #next = 0;

  constructor(engine: Engine, shelf: Shelf) {
    this.#engine = engine;
    this.#shelf = shelf;
  }

  /** Emits the runs that are kept, without the one in training. */
  async report(): Promise<void> {
    try {
      const runs = (await this.#shelf.list()).filter(({ id }) => id !== this.#id);
      this.#engine.host.emit({ kind: "kept", runs, problem: null });
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Whether the run in training was last kept, or opened, long enough ago. */
  isDue(run: TrainingRun): boolean {
    this.#follow(run);
    return this.#engine.host.now() >= this.#next;
  }

  /** Keeps the run in training, unless it has made no step since. */
  async keep(run: TrainingRun): Promise<void> {
    const { host } = this.#engine;
    const { stepsDone } = run.trainer;
    this.#follow(run);
    if (stepsDone === this.#step) return;
    const start = host.now();
    try {
      this.#step = stepsDone;
      const files = [...(await run.save())];
      const { name, file } = run.text;
      const { steps } = run.config.settings;
      const text = file === null ? null : { name, file };
      await this.#shelf.put({ id: this.#id, name, step: stepsDone, steps }, { files, text });
      await this.#prune();
    } catch (error) {
      this.#refused(error);
    }
    const end = host.now();
    this.#next = end + Math.max(LEAST_MS, (end - start) / SHARE);
  }

  /**
   * Continues a run that is kept.
   *
   * @param read what reads a run that is given: the page loads it after training can start
   * @throws CheckpointError if it is not there any more
   */
  async resume(id: string, read: typeof readGivenRun): Promise<void> {
    const kept = await this.#shelf.get(id);
    if (kept === null) throw new CheckpointError("this run is no longer kept in this browser");
    const given = kept.files.map(([path, bytes]) => ({ path, file: new Blob([new Uint8Array(bytes)]) }));
    const run = await read(given);
    const { text } = kept;
    const original = text === null ? await this.#engine.tales() : await readOwnText(text.name, text.file);
    this.#run = this.#engine.resume(run, original);
    [this.#id, this.#step] = [id, this.#run.trainer.stepsDone];
    this.#next = this.#engine.host.now() + LEAST_MS;
    await this.report();
  }

  async forget(id: string): Promise<void> {
    await this.#shelf.remove(id);
    await this.report();
  }

  /** A run that is new here gets a name. */
  #follow(run: TrainingRun): void {
    if (run === this.#run) return;
    [this.#run, this.#id, this.#step] = [run, crypto.randomUUID(), 0];
    this.#next = this.#engine.host.now() + LEAST_MS;
  }

  /** Removes all but the run in training and those with the most steps. */
  async #prune(): Promise<void> {
    const others = (await this.#shelf.list()).filter(({ id }) => id !== this.#id);
    const fewest = [...others].sort((a, b) => a.step - b.step);
    const surplus = fewest.slice(0, Math.max(0, others.length - MOST_RUNS + 1));
    for (const { id } of surplus) await this.#shelf.remove(id);
  }

  #refused(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    this.#engine.host.emit({ kind: "kept", runs: [], problem });
  }
}
