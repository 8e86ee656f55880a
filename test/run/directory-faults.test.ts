/**
 * A run that is killed, whose disk is full, broken or read-only, or whose machine loses power, at every possible
 * moment: earlier checkpoints still load.
 */
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { Random } from "../../src/random.ts";
import { loadModelFiles, RunDirectory, type StepToSave } from "../../src/run/directory.ts";
import type { Files } from "../../src/run/files.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";
import { FailingFiles, type Failure, Killed } from "./failing-files.ts";
import { PowerLossFiles } from "./power-loss-files.ts";
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

/** Whether `attempt` succeeded. Rethrows any error but the simulated failure. */
function succeeds(attempt: () => void): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    if (error instanceof Killed || error instanceof CheckpointError) return false;
    throw error;
  }
}

/** Saves over files that fail after `budget` units, and returns the remains. */
function saveUntil(
  start: MemoryFiles,
  saved: StepToSave,
  failure: Failure,
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

  it.each(["killed", "ENOSPC", "EROFS", "EACCES", "EIO"] as const)(
    "loads the step before, or this one, when %s comes at any moment",
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

  it("leaves no partial files on a full disk, even before the run is opened again", () => {
    const { files, whole } = saveUntil(start, saved, "ENOSPC", 500);
    expect(whole).toBe(false);
    expect(files.list(PATH)).toEqual(start.list(PATH));
  });
});

it.each(["killed", "ENOSPC"] as const)(
  "has a complete checkpoint or none when %s strikes at any byte",
  (failure) => {
    const start = runWith([someStep(11)]);
    const written = ["model.safetensors", "optimizer.safetensors", "state.json"].map(
      (name) => start.read(`${PATH}/step-000011/${name}`).length,
    );
    for (let budget = 0; ; budget++) {
      const { files, whole } = saveUntil(start, someStep(17), failure, budget);
      const run = RunDirectory.open(PATH, { files });
      if (whole) {
        // It was cut at every byte of every file.
        expect(budget).toBeGreaterThan(written.reduce((sum, length) => sum + length, 0));
        return;
      }
      expect(run.steps()).toContain(run.latest());
      expect([11, 17]).toContain(run.loadStep("latest").step);
    }
  },
);

it("ends with the best checkpoint, killed at any moment, because the resumed checkpoint knows it", () => {
  const losses = [5, 4, 4.5, 3, 3.5];
  /** Saves the missing steps as a resumed run does, which reads the best loss from the latest checkpoint. */
  const work = (files: Files) => {
    const run = RunDirectory.open(PATH, { files, keep: 1 });
    const latest = run.latest() === null ? null : run.loadStep("latest");
    let lowest = Number(latest?.state.lowest ?? Number.POSITIVE_INFINITY);
    for (let step = (latest?.step ?? -1) + 1; step < losses.length; step++) {
      const best = losses[step] < lowest;
      lowest = Math.min(lowest, losses[step]);
      run.saveStep({ ...someStep(step, best), state: { lowest } });
    }
  };
  for (let budget = 0; ; budget++) {
    const files = runWith([]);
    const whole = succeeds(() => work(new FailingFiles(files, "killed", budget, 1)));
    work(files);
    expect(RunDirectory.open(PATH, { files }).best()).toBe("step-000003");
    if (whole) return;
  }
});

it("resumes from a log truncated at any byte, and discards the entries after the step", () => {
  const start = runWith([someStep(11)]);
  for (let budget = 0; ; budget++) {
    const files = new MemoryFiles(start);
    const run = RunDirectory.open(PATH, { files: new FailingFiles(files, "killed", budget) });
    const whole = succeeds(() => {
      for (let step = 12; step < 15; step++) run.appendLog({ step, lossNats: step / 7 });
    });
    const again = RunDirectory.open(PATH, { files });
    again.resumeLog(11, 20);
    again.appendLog({ step: 12, lossNats: 0.5 });
    expect(again.readLog()).toEqual([{ step: 1 }, { step: 12, lossNats: 0.5 }]);
    if (whole) return;
  }
});

describe("a power failure at any moment", () => {
  /** Draws which writes reached the disk, including none and all. */
  const DRAWS = 40;
  const random = Random.of(7, "power");
  const draws = Array.from({ length: DRAWS }, (_, i) =>
    i < 2 ? () => i === 1 : () => random.below(2) === 1,
  );

  /** Runs `work` until a power failure after `budget` operations, and yields many possible states of the disk. */
  function* outages(work: (files: Files) => void) {
    for (let budget = 0, whole = false; !whole; budget++) {
      const powered = new PowerLossFiles(budget);
      whole = succeeds(() => work(powered));
      for (const draw of draws) yield { files: powered.found(draw), whole, budget };
    }
  }

  it.each(SCENARIOS)("has the previous checkpoint or this one, saving $name", ({ before, saved }) => {
    const last = before[before.length - 1];
    const start = (files: Files) => {
      const run = RunDirectory.create(PATH, { layers: 2 }, { files, keep: KEEP });
      for (const step of before) run.saveStep(step);
      return run;
    };
    const uncounted = new PowerLossFiles(Number.POSITIVE_INFINITY);
    start(uncounted);
    const untouched = uncounted.operations;
    for (const { files, whole, budget } of outages((files) => start(files).saveStep(saved))) {
      if (budget < untouched) continue;
      const steps = whole ? [saved] : [last, saved];
      const loaded = loadModelFiles(PATH, "latest", files);
      expect(steps.map(({ model }) => model)).toContainEqual(loaded.tensors);
      loadModelFiles(PATH, undefined, files);
      const run = RunDirectory.open(PATH, { files, keep: KEEP });
      for (const step of run.steps()) run.loadStep(step);
      run.saveStep(saved);
      expect(run.loadStep("latest")).toMatchObject(contentsOf(saved));
    }
  });

  it("finds a started run, or can start it again", () => {
    const create = (files: Files) =>
      RunDirectory.create(PATH, { layers: 2 }, { files }).saveStep(someStep(3));
    for (const { files, whole } of outages(create)) {
      const isThere = succeeds(() => RunDirectory.open(PATH, { files }));
      if (whole) expect(isThere).toBe(true);
      if (isThere) RunDirectory.open(PATH, { files }).saveStep(someStep(3));
      else create(files);
      expect(loadModelFiles(PATH, undefined, files).step).toBe(3);
    }
  });
});

it("starts a run completely or not at all", () => {
  for (let budget = 0; ; budget++) {
    const files = new MemoryFiles();
    const failing = new FailingFiles(files, "killed", budget);
    const whole = succeeds(() => RunDirectory.create(PATH, { layers: 2 }, { files: failing }));
    const isThere = succeeds(() => RunDirectory.open(PATH, { files: new MemoryFiles(files) }));
    // Without its config there is no run, and it can be started again.
    if (!isThere) RunDirectory.create(PATH, { layers: 2 }, { files });
    expect(RunDirectory.open(PATH, { files }).config).toEqual({ layers: 2 });
    if (whole) return;
  }
});

it("flushes contents before the names that lead to them", () => {
  const memory = runWith([someStep(11)]);
  const calls: string[] = [];
  const short = (path: string) => path.slice(PATH.length + 1) || ".";
  const recorded: Files = {
    sha256: (contents) => memory.sha256(contents),
    sha256Of: (path, limit) => memory.sha256Of(path, limit),
    exists: (path) => memory.exists(path),
    list: (path) => memory.list(path),
    inspect: (path) => memory.inspect(path),
    read: (path, limit) => memory.read(path, limit),
    open: (path, limit, use) => memory.open(path, limit, use),
    readPart: (path, start, length) => memory.readPart(path, start, length),
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
    "write .best.partial",
    "rename best",
    "flush .",
    "write .latest.partial",
    "rename latest",
    "flush .",
    "rename .step-000011.removed",
    "flush .",
    "remove .step-000011.removed",
  ]);
});
