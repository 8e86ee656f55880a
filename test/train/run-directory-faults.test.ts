/** A run that is killed, or whose disk is full, at every possible moment: what was saved before still loads. */
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { loadModelFiles, RunDirectory, type StepToSave } from "../../src/train/run-directory.ts";
import type { Files } from "../../src/train/run-files.ts";
import { FailingFiles, Killed, MemoryFiles } from "./memory-files.ts";
import { someStep } from "./saved-steps.ts";

const PATH = "/runs/one";
const KEEP = 2;

const SCENARIOS = [
  { name: "a new best step", before: [someStep(11, true)], saved: someStep(17, true) },
  {
    name: "a step that is there, latest and best",
    before: [someStep(11, true)],
    saved: someStep(11, false, 3),
  },
  {
    name: "a step that pushes out older ones",
    before: [someStep(3), someStep(5, true), someStep(7), someStep(11)],
    saved: someStep(13, true),
  },
];

function contentsOf({ best, ...contents }: StepToSave) {
  return contents;
}

function runWith(steps: readonly StepToSave[]): MemoryFiles {
  const files = new MemoryFiles();
  const run = RunDirectory.create(PATH, { layers: 2 }, { files, keep: KEEP });
  run.appendLog({ step: 1 });
  for (const step of steps) run.saveStep(step);
  return files;
}

/** Whether `attempt` came to its end; anything but the failure that was asked for is passed on. */
function succeeds(attempt: () => void): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    if (error instanceof Killed || error instanceof CheckpointError) return false;
    throw error;
  }
}

/** Saves over files that fail after `budget` units; gives what is left. */
function saveUntil(
  start: MemoryFiles,
  saved: StepToSave,
  failure: "killed" | "full",
  budget: number,
  cuts?: number,
): { files: MemoryFiles; whole: boolean } {
  const files = new MemoryFiles(start);
  const failing = new FailingFiles(files, failure, budget, cuts);
  const run = RunDirectory.open(PATH, { files: failing, keep: KEEP });
  const whole = succeeds(() => run.saveStep(saved));
  expect(whole).toBe(failing.survived);
  return { files, whole };
}

describe.each(SCENARIOS)("saving $name", ({ before, saved }) => {
  const start = runWith(before);
  const last = before[before.length - 1];
  const best = before.find((step) => step.best) ?? last;

  it.each(["killed", "full"] as const)(
    "loads the step before, or this one, when %s at any moment",
    (failure) => {
      for (let budget = 0; ; budget++) {
        const { files, whole } = saveUntil(start, saved, failure, budget, 5);
        const steps = [contentsOf(saved), contentsOf(whole ? saved : last)];

        const model = loadModelFiles(PATH, "latest", files);
        expect(steps.map(({ model }) => model)).toContainEqual(model.tensors);
        expect([saved.model, best.model]).toContainEqual(loadModelFiles(PATH, undefined, files).tensors);

        const run = RunDirectory.open(PATH, { files, keep: KEEP });
        const { name, ...loaded } = run.loadStep("latest");
        expect(steps).toContainEqual(loaded);
        for (const step of run.steps()) expect(run.loadStep(step).name).toBe(step);
        expect(files.list(PATH).filter((entry) => entry.startsWith("."))).toEqual([]);
        if (whole) return;

        run.saveStep(saved);
        expect(run.loadStep("latest")).toEqual({ name: run.latest(), ...contentsOf(saved) });
      }
    },
  );

  it("leaves nothing half written behind on a full disk, before anyone opens the run again", () => {
    const { files, whole } = saveUntil(start, saved, "full", 500);
    expect(whole).toBe(false);
    expect(files.list(PATH)).toEqual(start.list(PATH));
  });
});

it("has a whole step or none, when killed at any byte", () => {
  const start = runWith([someStep(11)]);
  for (let budget = 0; ; budget++) {
    const { files, whole } = saveUntil(start, someStep(17), "killed", budget);
    const run = RunDirectory.open(PATH, { files });
    if (whole) return;
    expect(run.steps()).toContain(run.latest());
    expect([11, 17]).toContain(run.loadStep("latest").step);
  }
});

it("starts a run whole or not at all", () => {
  for (let budget = 0; ; budget++) {
    const files = new MemoryFiles();
    const failing = new FailingFiles(files, "killed", budget);
    const whole = succeeds(() => RunDirectory.create(PATH, { layers: 2 }, { files: failing }));
    const isThere = succeeds(() => RunDirectory.open(PATH, { files: new MemoryFiles(files) }));
    // Before its config is in place there is no run, and it can be started again.
    if (!isThere) RunDirectory.create(PATH, { layers: 2 }, { files });
    expect(RunDirectory.open(PATH, { files }).config).toEqual({ layers: 2 });
    if (whole) return;
  }
});

it("puts bytes on the disk before names that lead to them", () => {
  const memory = runWith([someStep(11)]);
  const calls: string[] = [];
  const short = (path: string) => path.slice(PATH.length + 1) || ".";
  const recorded: Files = {
    exists: (path) => memory.exists(path),
    list: (path) => memory.list(path),
    read: (path) => memory.read(path),
    append: (path, text) => memory.append(path, text),
    write: (path, bytes) => {
      calls.push(`write ${short(path)}`);
      memory.write(path, bytes);
    },
    flush: (path) => {
      calls.push(`flush ${short(path)}`);
      memory.flush(path);
    },
    createFolder: (path) => {
      calls.push(`create ${short(path)}`);
      memory.createFolder(path);
    },
    flushFolder: (path) => {
      calls.push(`flush ${short(path)}`);
      memory.flushFolder(path);
    },
    rename: (from, to) => {
      calls.push(`rename ${short(to)}`);
      memory.rename(from, to);
    },
    remove: (path) => {
      if (memory.exists(path)) calls.push(`remove ${short(path)}`);
      memory.remove(path);
    },
  };
  RunDirectory.open(PATH, { files: recorded, keep: 1 }).saveStep(someStep(13, true));
  expect(calls).toEqual([
    "create .step-000013.partial",
    "write .step-000013.partial/model.safetensors",
    "write .step-000013.partial/optimizer.safetensors",
    "write .step-000013.partial/state.json",
    "flush .step-000013.partial",
    "flush log.jsonl",
    "rename step-000013",
    "flush .",
    "write .latest.partial",
    "rename latest",
    "flush .",
    "write .best.partial",
    "rename best",
    "flush .",
    "rename .step-000011.removed",
    "remove .step-000011.removed",
  ]);
});
