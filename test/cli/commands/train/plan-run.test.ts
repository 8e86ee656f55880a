/** Planning a run checks everything and changes nothing; opening it is what creates, locks and restores. */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { closeRun, openRun } from "../../../../src/cli/commands/train/open-run.ts";
import { planRun, type TrainFlags } from "../../../../src/cli/commands/train/plan-run.ts";
import { lockRun } from "../../../../src/cli/shared/process-lock.ts";
import { CheckpointError, ConfigError, DataError, TokenError } from "../../../../src/errors.ts";
import { nodeFiles } from "../../../../src/run/node-files.ts";
import { nopeekHere } from "../../../support/in-process.ts";
import { makeFolderWithText, START_MS, TRAIN } from "../../../support/program.ts";
import { fingerprint } from "../../../support/run-files.ts";

const { folder, at } = makeFolderWithText(200);
const quiet = { note: () => {}, status: () => {} };
const machine = { backend: "wasm", threads: 1 } as const;
const sizes = { layers: 1, heads: 2, dModel: 6, batchSize: 3 };
const text = { data: [at("text.txt")], contextLength: 13 };
const gpt: TrainFlags = { ...machine, ...sizes, ...text, out: at("new") };
const seq2seq: TrainFlags = { ...machine, ...sizes, model: "seq2seq", out: at("new") };
const resume: TrainFlags = { ...machine, data: text.data, resume: true, out: at("run") };

beforeAll(async () => {
  await nopeekHere(folder, ...TRAIN, "--steps", 4, "--checkpoint-interval", 2, "--out", "run");
  writeFileSync(at("greek.txt"), "the Ω ".repeat(100));
}, START_MS);

/** Every operation that changes a file, on the interface that all runs are written through. */
const WRITING = ["write", "append", "flush", "createFolder", "flushFolder", "rename", "remove"] as const;

describe("a plan", () => {
  it.each<[string, TrainFlags]>([
    ["of a new run", gpt],
    ["of a large text", { ...gpt, inMemory: 0, cache: at("cache") }],
    ["of a fine-tuned model", { ...gpt, from: at("run") }],
    ["of a seq2seq model", seq2seq],
    ["of a resumed run", { ...resume, steps: 9 }],
  ])("%s creates, locks and changes nothing", async (_, flags) => {
    const spies = WRITING.map((name) => vi.spyOn(nodeFiles, name));
    const before = fingerprint(folder);
    expect((await planRun(flags, quiet)).path).toBe(flags.out);
    expect(fingerprint(folder)).toBe(before);
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it.each<[string, Partial<TrainFlags>, new (message: string) => Error, string]>([
    ["sizes that do not fit", { heads: 4 }, ConfigError, "`dModel` must be a multiple of `heads`"],
    ["odd heads with rotary positions", { positions: "rotary" }, ConfigError, "rotary"],
    ["a model larger than memory", { dModel: 65536, layers: 1000 }, ConfigError, "GiB"],
    ["a text that is too short", { contextLength: 1000 }, DataError, "tokens are too few"],
    ["unknown characters", { from: at("run"), data: [at("greek.txt")] }, TokenError, '"Ω"'],
    ["a backend without threads", { backend: "reference", threads: 2 }, ConfigError, "`threads` 2"],
    ["a directory in use by a run", { out: at("run") }, CheckpointError, "already holds a run"],
    ["another model to fine-tune", { from: at("run"), layers: 2 }, ConfigError, "got --layers"],
  ])("rejects %s", async (_, flags, type, message) => {
    const before = fingerprint(folder);
    const planned = planRun({ ...gpt, ...flags }, quiet);
    await expect(planned).rejects.toThrow(type);
    await expect(planned).rejects.toThrow(message);
    expect(fingerprint(folder)).toBe(before);
  });

  it("rejects a seq2seq task with too few strings", async () => {
    const planned = planRun({ ...seq2seq, alphabetSize: 2, maxLength: 3 }, quiet);
    await expect(planned).rejects.toThrow("raise `maxLength` or `alphabetSize`");
  });

  it("of a run that a living process trains is rejected", async () => {
    const lock = lockRun(at("run"));
    await expect(planRun(resume, quiet)).rejects.toThrow(`is in use by process ${process.pid}`);
    lock.release();
    expect((await planRun(resume, quiet)).path).toBe(at("run"));
  });
});

describe("opening a plan", () => {
  it("locks the run directory and restores the latest checkpoint; closing gives the lock back", async () => {
    const run = await openRun(await planRun({ ...resume, steps: 9 }, quiet));
    expect(run.trainer.stepsDone).toBe(4);
    expect(run.config.settings.steps).toBe(9);
    expect(readdirSync(at("run")).some((name) => name.startsWith(".lock-"))).toBe(true);
    await closeRun(run);
    expect(readdirSync(at("run")).some((name) => name.startsWith(".lock-"))).toBe(false);
  });

  it("is rejected if another process has changed the run since the plan", async () => {
    const planned = await planRun(resume, quiet);
    writeFileSync(at("run", "latest"), "step-000002\n");
    await expect(openRun(planned)).rejects.toThrow("another process changed it");
    writeFileSync(at("run", "latest"), "step-000004\n");
  });

  it("creates the run directory of a new run, and nothing before", async () => {
    const planned = await planRun({ ...gpt, out: at("opened") }, quiet);
    expect(existsSync(at("opened"))).toBe(false);
    const run = await openRun(planned);
    expect(readdirSync(at("opened"))).toContain("config.json");
    await closeRun(run);
  });
});
