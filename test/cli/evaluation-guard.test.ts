/** An evaluation that is not finite, after finite steps: its weights are not saved. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { RunDirectory } from "../../src/run/on-disk.ts";
import { nopeekHere } from "../support/in-process.ts";
import { makeFolderWithText, parseLines, TINY, TRAIN } from "../support/program.ts";

/** The loss of evaluations from the fourth on. */
let spoilt = Number.NaN;
let evaluations = 0;

vi.mock(import("../../src/evaluate/loss.ts"), async (original) => {
  const evaluate = await original();
  const spoil = <T extends { readonly lossNats: number }>(evaluation: T): T => {
    evaluations += 1;
    return evaluations < 4 ? evaluation : { ...evaluation, lossNats: spoilt };
  };
  return {
    ...evaluate,
    evaluateSplit: async (...given: Parameters<typeof evaluate.evaluateSplit>) =>
      spoil(await evaluate.evaluateSplit(...given)),
    estimateLoss: async (...given: Parameters<typeof evaluate.estimateLoss>) =>
      spoil(await evaluate.estimateLoss(...given)),
  };
});

const { folder } = makeFolderWithText(200);
beforeEach(() => {
  evaluations = 0;
});

describe.each([Number.NaN, Number.POSITIVE_INFINITY])("a validation loss of %s", (loss) => {
  it.each([
    ["in a quick estimate", ["--eval-interval", 2], 8, null],
    ["when a checkpoint is due", ["--eval-interval", 1000, "--checkpoint-interval", 2], 8, "step-000006"],
    ["when --patience measures", ["--eval-interval", 2, "--patience", 9], 8, "step-000006"],
    ["at the end", ["--eval-interval", 1000, "--checkpoint-interval", 4], 13, "step-000012"],
  ] as const)("%s ends the run; latest and best stay what they were", async (what, how, step, kept) => {
    spoilt = loss;
    const run = `${loss} ${what}`;
    const words = [...TRAIN, "--out", run, "--steps", 13, "--eval-batches", 1, ...how];
    const outcome = await nopeekHere(folder, ...words, "--learning-rate", 1e-4);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toContain(
      `nopeek: training: after step ${step} the validation loss is ${loss}; nothing was saved after the last checkpoint. A lower learning rate`,
    );
    const directory = RunDirectory.open(join(folder, run));
    expect([directory.latest(), directory.best()]).toEqual([kept, kept]);
    const losses = directory
      .readLog()
      .flatMap(({ kind, lossNats }) => (kind === "evaluation" || kind === "estimate" ? [lossNats] : []));
    expect(losses).toHaveLength(3);
    if (kept !== null)
      expect(directory.loadStep("best").state.best).toMatchObject({ step: Number(kept.slice(5)) });
    // The run can resume from there, with finite numbers again.
    evaluations = -1000;
    const again = await nopeekHere(folder, "train", "--resume", "--out", run, "--threads", 1, "--json");
    expect(again.code, again.stderr).toBe(0);
    expect(parseLines(again.stdout).at(-1)).toMatchObject({ kind: "sample" });
  });
});

it("is reported for a fine-tuned model too", async () => {
  spoilt = Number.NaN;
  evaluations = -1000;
  const train = ["train", "--data", "text.txt", "--eval-batches", 1];
  await nopeekHere(folder, ...train, ...TINY, "--steps", 2, "--out", "first");
  evaluations = 3;
  const more = ["--from", "first", "--steps", 2, "--threads", 1, "--out", "second"];
  const outcome = await nopeekHere(folder, ...train, ...more);
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain("after step 2 the validation loss is NaN");
  expect(existsSync(join(folder, "second", "best"))).toBe(false);
});
