/** Readers of a run beside a program that saves it: whatever happens between two of their operations, they succeed. */
import { beforeAll, describe, expect, it } from "vitest";
import { resolveSettings } from "../../src/config/settings.ts";
import type { Checkpoint } from "../../src/run/checkpoint.ts";
import { runConfigToJSON } from "../../src/run/config.ts";
import { loadModelFiles, RunDirectory, readLatestCheckpoint } from "../../src/run/directory.ts";
import type { Contents, Files, Found, OpenedFile } from "../../src/run/files.ts";
import type { Processes } from "../../src/run/lock.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";
import { readSummary } from "../../src/run/summary.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { someStep } from "./saved-steps.ts";

const PATH = "/runs/one";
const SAVED = [
  someStep(2, true),
  someStep(3),
  someStep(5, true),
  someStep(5, true, 3),
  someStep(7),
  someStep(11, true),
];
/** Operations of the writer between two of the reader; one save makes about 25. */
const STRIDES = [0.2, 1, 2, 3, 5, 11, 29];

const alone: Processes = {
  self: { pid: 7, started: null, machine: "here", boot: null },
  isAlive: () => false,
};

/** Keeps the state of the disk after every change. */
class RecordedFiles extends MemoryFiles {
  readonly states: MemoryFiles[] = [];

  #changed(): void {
    this.states.push(new MemoryFiles(this));
  }

  override write(file: string, bytes: Uint8Array): void {
    super.write(file, bytes);
    this.#changed();
  }

  override append(file: string, text: string): void {
    super.append(file, text);
    this.#changed();
  }

  override createFolder(folder: string): void {
    super.createFolder(folder);
    this.#changed();
  }

  override rename(from: string, to: string): void {
    super.rename(from, to);
    this.#changed();
  }

  /** File by file, as a real removal. */
  override remove(path: string): void {
    if (this.inspect(path)?.type === "folder")
      for (const name of this.list(path)) this.remove(`${path}/${name}`);
    super.remove(path);
    this.#changed();
  }
}

/** The states of a disk one after the other: `stride` of them pass with each operation. */
class PassingFiles implements Files {
  readonly #states: readonly MemoryFiles[];
  readonly #stride: number;
  #at: number;

  constructor(states: readonly MemoryFiles[], start: number, stride: number) {
    this.#states = states;
    this.#at = start;
    this.#stride = stride;
  }

  #now(): MemoryFiles {
    this.#at += this.#stride;
    return this.#states[Math.min(this.#states.length - 1, Math.floor(this.#at))];
  }

  exists = (path: string): boolean => this.#now().exists(path);
  list = (folder: string): string[] => this.#now().list(folder);
  inspect = (path: string): Found | null => this.#now().inspect(path);
  read = (file: string, limit: number): Uint8Array => this.#now().read(file, limit);
  open = <T>(file: string, limit: number, use: (opened: OpenedFile) => T): T =>
    this.#now().open(file, limit, use);
  readPart = (file: string, start: number, length: number): Uint8Array =>
    this.#now().readPart(file, start, length);
  write = (): void => expect.unreachable();
  append = (): void => expect.unreachable();
  flush = (): void => expect.unreachable();
  createFolder = (): void => expect.unreachable();
  flushFolder = (): void => expect.unreachable();
  rename = (): void => expect.unreachable();
  remove = (): void => expect.unreachable();
  sha256 = (contents: Contents): string => this.#now().sha256(contents);
  sha256Of = (file: string, limit: number): string => this.#now().sha256Of(file, limit);
}

describe("beside a program that saves, replaces and removes steps", () => {
  const recorded = new RecordedFiles();
  let first = 0;

  beforeAll(() => {
    const settings = resolveSettings({});
    const config = runConfigToJSON({ settings, tokenizer: new CharTokenizer("ab"), corpus: null });
    const run = RunDirectory.create(PATH, config, { files: recorded, keep: 1 });
    for (const [i, step] of SAVED.entries()) {
      run.appendLog({ step: step.step, kind: "step", elapsedMs: 1, lossNats: 2 });
      run.saveStep(step);
      if (i === 0) first = recorded.states.length - 1;
    }
  });

  /** Calls `read` from every state of the disk on, at every speed. */
  function* readings<T>(read: (files: Files) => T): Generator<T> {
    for (const stride of STRIDES)
      for (let start = first; start < recorded.states.length; start++)
        yield read(new PassingFiles(recorded.states, start, stride));
  }

  const isOneOf = (found: Pick<Checkpoint, "step" | "model">) =>
    expect(SAVED.filter(({ step }) => step === found.step).map(({ model }) => model)).toContainEqual(
      found.model,
    );

  it.each([undefined, "latest", "best"])("a model is loaded, by %s", (which) => {
    const seen = new Set<number>();
    for (const { step, tensors } of readings((files) => loadModelFiles(PATH, which, files))) {
      isOneOf({ step, model: tensors });
      seen.add(step);
    }
    expect(seen.size).toBeGreaterThan(2);
  });

  it("a checkpoint is loaded whole", () => {
    for (const checkpoint of readings((files) => readLatestCheckpoint(PATH, files))) {
      if (checkpoint === null) return expect.unreachable();
      isOneOf(checkpoint);
    }
  });

  it("the run is summarized", () => {
    for (const summary of readings((files) => readSummary(PATH, alone, { files }))) {
      expect(SAVED.map(({ step }) => step)).toContain(summary.step);
      expect(summary.status).toBe("stopped");
      expect(summary.bytes).toBeGreaterThan(0);
    }
  });
});
