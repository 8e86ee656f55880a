import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { loadModelFiles, RunDirectory } from "../../src/run/directory.ts";
import type { Files } from "../../src/run/files.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";
import { nodeFiles } from "../../src/run/node-files.ts";
import { messageOfA } from "../support/errors.ts";
import { someStep } from "./saved-steps.ts";

const temporary = mkdtempSync(join(tmpdir(), "nopeek-run-directory-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const CONFIG = { settings: { layers: 2 }, tokenizer: { kind: "char", characters: "\nab" } };

const messageOf = messageOfA(CheckpointError);

const text = (files: Files, path: string) => new TextDecoder().decode(files.read(path, LIMIT));
const LIMIT = 1e6;
const bytes = (content: string) => new TextEncoder().encode(content);

let made = 0;

describe.each([
  { name: "on disk", setUp: () => ({ files: nodeFiles, path: join(temporary, `run-${made++}`) }) },
  { name: "in memory", setUp: () => ({ files: new MemoryFiles(), path: "/runs/one" }) },
])("RunDirectory $name", ({ setUp }) => {
  /** A run with these checkpoints, the first of which is the best. */
  function makeRun(steps: readonly number[], keep = 10) {
    const { files, path } = setUp();
    const run = RunDirectory.create(path, CONFIG, { files, keep });
    steps.forEach((step, i) => {
      run.saveStep(someStep(step, i === 0));
    });
    return { files, path, run };
  }

  it("keeps the config and a checkpoint exactly", () => {
    const { files, path, run } = makeRun([500]);
    expect(files.list(path)).toEqual(["best", "config.json", "latest", "step-000500"]);
    expect(files.list(join(path, "step-000500"))).toEqual([
      "model.safetensors",
      "optimizer.safetensors",
      "state.json",
    ]);
    expect(text(files, join(path, "latest")).trim()).toBe("step-000500");
    const again = RunDirectory.open(path, { files });
    expect(again.config).toEqual(CONFIG);
    expect(run.config).toEqual(CONFIG);
    const { best, ...contents } = someStep(500);
    for (const which of ["latest", "best", "step-000500"]) {
      expect(again.loadStep(which)).toEqual({ name: "step-000500", ...contents });
    }
  });

  it("moves latest with every checkpoint, and best when asked", () => {
    const { run } = makeRun([7, 11]);
    expect([run.latest(), run.best()]).toEqual(["step-000011", "step-000007"]);
    run.saveStep(someStep(13, true));
    expect([run.latest(), run.best()]).toEqual(["step-000013", "step-000013"]);
    expect(run.steps()).toEqual(["step-000007", "step-000011", "step-000013"]);
    expect(run.loadStep("best").step).toBe(13);
  });

  it("keeps the newest checkpoints, the latest and the best", () => {
    const { run, files, path } = makeRun([2, 3, 5, 7, 11], 2);
    expect(run.steps()).toEqual(["step-000002", "step-000007", "step-000011"]);
    run.saveStep(someStep(13, true));
    expect(run.steps()).toEqual(["step-000011", "step-000013"]);
    expect(files.list(path).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("sorts steps by number beyond a million", () => {
    const { run } = makeRun([999_999, 1_000_000, 10_000_000], 1);
    expect(run.steps()).toEqual(["step-999999", "step-10000000"]);
  });

  it("keeps later checkpoints when the run resumes from an earlier one", () => {
    const { files, path } = makeRun([2, 3, 5, 7]);
    const run = RunDirectory.open(path, { files, keep: 1 });
    run.saveStep(someStep(4));
    expect(run.latest()).toBe("step-000004");
    expect(run.steps()).toEqual(["step-000002", "step-000004", "step-000005", "step-000007"]);
  });

  it("replaces a checkpoint that is saved again", () => {
    const { run, files, path } = makeRun([7]);
    run.saveStep(someStep(7, false, 3));
    expect(run.loadStep().state.variant).toBe(3);
    expect(run.best()).toBe("step-000007");
    expect(files.list(path)).toEqual(["best", "config.json", "latest", "step-000007"]);
  });

  it("does not start in a directory with a run or other files", () => {
    const { files, path } = makeRun([7]);
    const config = files.read(join(path, "config.json"), LIMIT);
    const create = () => RunDirectory.create(path, { other: 1 }, { files });
    expect(messageOf(create)).toBe(
      `${path}: already holds a run, saved up to step-000007; resume it with \`resume\`, or choose another folder with \`out\``,
    );
    expect(files.read(join(path, "config.json"), LIMIT)).toEqual(config);
    files.remove(join(path, "config.json"));
    expect(messageOf(create)).toContain("holds other files (best, latest, step-000007)");
    const unsaved = makeRun([]);
    expect(messageOf(() => RunDirectory.create(unsaved.path, {}, { files: unsaved.files }))).toContain(
      "without a saved step",
    );
  });

  it("starts in an empty directory, or one with only an unfinished config", () => {
    const { files, path } = setUp();
    files.createFolder(path);
    files.write(join(path, ".config.json.partial"), bytes("{"));
    expect(RunDirectory.create(path, CONFIG, { files }).config).toEqual(CONFIG);
    expect(files.list(path)).toEqual(["config.json"]);
  });

  it("names the obstacle when the path is a file or leads through one", () => {
    const { files, path } = setUp();
    files.createFolder(path);
    files.write(join(path, "file"), bytes("x"));
    expect(messageOf(() => RunDirectory.create(join(path, "file"), {}, { files }))).toContain(
      "is a file, not a folder",
    );
    expect(messageOf(() => RunDirectory.open(join(path, "file"), { files }))).toContain("is not a run");
    expect(messageOf(() => RunDirectory.create(join(path, "file", "run"), {}, { files }))).toContain(
      "cannot create",
    );
    expect(text(files, join(path, "file"))).toBe("x");
  });

  it("opens only a run of this version", () => {
    const { files, path } = makeRun([]);
    const open = () => RunDirectory.open(path, { files });
    const config = join(path, "config.json");
    expect(messageOf(() => RunDirectory.open(join(path, "no"), { files }))).toContain("no such folder");
    for (const [content, reason] of [
      ["", "is damaged: it is not JSON"],
      ["{", "is damaged: it is not JSON"],
      ["null", 'should begin with "format": "nopeek run"'],
      ['{"format":"nopeek step","version":1}', 'should begin with "format": "nopeek run"'],
      ['{"format":"nopeek run","version":2}', "has format version 2; this nopeek reads version 1"],
      ['{"format":"nopeek run","version":"1"}', 'should begin with "format": "nopeek run" and a version'],
    ]) {
      files.write(config, bytes(content));
      expect(messageOf(open)).toContain(`${config}: ${reason}`);
    }
    files.write(config, Uint8Array.of(0xff, 0xfe));
    expect(messageOf(open)).toContain("is damaged");
    files.remove(config);
    expect(messageOf(open)).toContain(`${path}: is empty: a run that was to start here ended`);
    files.write(join(path, "notes.txt"), bytes("x"));
    expect(messageOf(open)).toContain("is not a run: it has no config.json");
    files.createFolder(config);
    expect(messageOf(open)).toContain("it is a folder, not a file");
  });

  it("reports that no checkpoint was saved yet", () => {
    const { run } = makeRun([]);
    expect([run.latest(), run.best(), run.steps()]).toEqual([null, null, []]);
    expect(messageOf(() => run.loadStep())).toContain("no step was saved yet");
  });

  it("lists the intact checkpoints when the requested one is missing", () => {
    const { run, files, path } = makeRun([2, 3, 5]);
    expect(messageOf(() => run.loadStep("step-000004"))).toBe(
      `${path}: has no step step-000004; whole steps here: step-000002, step-000003, step-000005; to use one, write its name into ${join(path, "latest")}`,
    );
    files.remove(join(path, "step-000005"));
    files.write(join(path, "step-000003", "optimizer.safetensors"), bytes("x"));
    expect(messageOf(() => run.loadStep())).toMatch(
      /has no step step-000005; whole steps here: step-000002;/,
    );
    files.remove(join(path, "step-000002"));
    expect(messageOf(() => run.loadStep())).toContain("; no other step here is whole");
    files.write(join(path, "latest"), bytes("step-000003"));
    files.remove(join(path, "best"));
    expect(messageOf(() => run.loadStep("best"))).toContain('it has no file "best"');
  });

  it("resumes from the checkpoint named in latest, as its message advises", () => {
    const { run, files, path } = makeRun([2, 3]);
    files.remove(join(path, "step-000003"));
    files.write(join(path, "latest"), bytes("step-000002"));
    expect(run.loadStep().step).toBe(2);
  });

  it("follows a pointer only to a checkpoint of the run", () => {
    const { run, files, path } = makeRun([2]);
    for (const name of [
      "",
      "../step-000002",
      "step-2",
      "step-0000002",
      "/etc",
      "step-000002/..",
      "step-0000x2",
    ]) {
      files.write(join(path, "latest"), bytes(name));
      expect(messageOf(() => run.loadStep())).toContain("should hold the name of a step directory");
      expect(messageOf(() => run.loadStep(`${name} `))).toContain("a step is named like step-000500");
    }
  });

  it("rejects a step directory under another step's name", () => {
    const { run, files, path } = makeRun([2]);
    files.rename(join(path, "step-000002"), join(path, "step-000003"));
    expect(messageOf(() => run.loadStep("step-000003"))).toContain("holds step 2; was it renamed?");
  });

  it("saves only what JSON can represent, and only whole steps", () => {
    const { run } = makeRun([2]);
    const state = { bestLossNats: Number.NaN };
    expect(messageOf(() => run.saveStep({ ...someStep(3), state }))).toContain(
      '"bestLossNats" must be a finite number to be saved: got NaN',
    );
    for (const step of [-1, 1.5, Number.NaN]) {
      expect(messageOf(() => run.saveStep(someStep(step)))).toContain(`got ${step}`);
    }
    expect(run.loadStep()).toMatchObject({ step: 2 });
  });

  it("removes the remains of a killed program, and no other files", () => {
    const { files, path } = makeRun([2]);
    for (const name of [
      ".step-000003.partial",
      ".step-000001.removed",
      ".step-000002.replaced",
      ".git.partial",
    ]) {
      files.createFolder(join(path, name));
      files.write(join(path, name, "model.safetensors"), bytes("x"));
    }
    files.write(join(path, ".latest.partial"), bytes("st"));
    files.write(join(path, "notes.txt"), bytes("mine"));
    files.createFolder(join(path, "step-12"));
    RunDirectory.open(path, { files });
    expect(files.list(path)).toEqual([
      ".git.partial",
      "best",
      "config.json",
      "latest",
      "notes.txt",
      "step-000002",
      "step-12",
    ]);
  });

  it("restores a checkpoint that was being replaced, and reads it meanwhile", () => {
    const { run, files, path } = makeRun([2]);
    files.rename(join(path, "step-000002"), join(path, ".step-000002.replaced"));
    expect(run.loadStep().step).toBe(2);
    expect(RunDirectory.open(path, { files }).steps()).toEqual(["step-000002"]);
  });

  describe("loadModelFiles", () => {
    it("reads the best checkpoint, the requested one, or the latest if none is the best", () => {
      const { files, path } = makeRun([2, 3, 5]);
      expect(loadModelFiles(path, undefined, files)).toEqual({
        config: CONFIG,
        tensors: someStep(2).model,
        step: 2,
        folder: join(path, "step-000002"),
        which: "best",
      });
      expect(loadModelFiles(path, "latest", files).tensors).toEqual(someStep(5).model);
      expect(loadModelFiles(path, "step-000003", files).tensors).toEqual(someStep(3).model);
      files.remove(join(path, "best"));
      expect(loadModelFiles(path, undefined, files).step).toBe(5);
    });

    it("reads one step directory of a run", () => {
      const { files, path } = makeRun([2, 3, 5]);
      expect(loadModelFiles(`${join(path, "step-000003")}/`, undefined, files)).toMatchObject({
        config: CONFIG,
        step: 3,
      });
    });

    it("needs no optimizer, changes nothing, and verifies the hashes", () => {
      const { files, path } = makeRun([2]);
      const folder = join(path, "step-000002");
      files.remove(join(folder, "optimizer.safetensors"));
      files.createFolder(join(path, ".step-000003.partial"));
      expect(loadModelFiles(path, undefined, files).step).toBe(2);
      expect(files.exists(join(path, ".step-000003.partial"))).toBe(true);
      const open = RunDirectory.open(path, { files });
      expect(messageOf(() => open.loadStep())).toContain("cannot read");
      const model = files.read(join(folder, "model.safetensors"), LIMIT);
      model[model.length - 1] ^= 1;
      files.write(join(folder, "model.safetensors"), model);
      expect(messageOf(() => loadModelFiles(path, undefined, files))).toContain(
        "model.safetensors: is damaged",
      );
    });

    it("reports that there is no model", () => {
      const { files, path } = makeRun([]);
      expect(messageOf(() => loadModelFiles(path, undefined, files))).toContain("no step was saved yet");
      expect(messageOf(() => loadModelFiles(join(path, "x"), undefined, files))).toContain("no such folder");
    });
  });
});
