/** Samples in the log of a run. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { samplesOf } from "../../../../src/run/log.ts";
import { RunDirectory } from "../../../../src/run/on-disk.ts";
import { succeedHere } from "../../../support/in-process.ts";
import { makeFolderWithText, parseLines, TINY, TRAIN_AND_SAMPLE } from "../../../support/program.ts";

const { folder, text: TEXT } = makeFolderWithText(200);
const training = [...TRAIN_AND_SAMPLE, "--steps", 11, "--eval-interval", 3];

describe("the log", () => {
  const logOf = (run: string) => readFileSync(join(folder, run, "log.jsonl"), "utf8");
  const samplesIn = (run: string) => samplesOf(RunDirectory.open(join(folder, run)).readLog());

  it("has a sample for each evaluation, and none twice after a resume", async () => {
    const words = [...training, "--checkpoint-interval", 6, "--dropout", 0.1];
    const { stdout } = await succeedHere(folder, ...words, "--out", "run", "--json");
    const samples = samplesIn("run");
    expect(samples.map(({ step }) => step)).toEqual([3, 6, 9, 11]);
    const shown = parseLines(stdout).filter(({ kind, step }) => kind === "sample" && step !== undefined);
    expect(shown).toEqual(samples);

    writeFileSync(join(folder, "run", "latest"), "step-000006\n");
    await succeedHere(folder, "train", "--resume", "--out", "run");
    expect(logOf("run").match(/"kind":"sample"/g)).toHaveLength(6);
    expect(
      RunDirectory.open(join(folder, "run"))
        .readLog()
        .filter(({ kind }) => kind === "sample"),
    ).toEqual(samples);
    await succeedHere(folder, "train", "--resume", "--out", "run");
    expect(samplesIn("run")).toEqual(samples);
  });
});

it("--no-samples draws none, and trains the same weights", async () => {
  const outcomes = [];
  for (const flags of [
    ["--out", "with"],
    ["--out", "without", "--no-samples"],
  ]) {
    outcomes.push(await succeedHere(folder, ...training, "--dropout", 0.1, "--json", ...flags));
  }
  const [drawn, undrawn] = outcomes.map(({ stdout }) =>
    parseLines(stdout).filter(({ kind, step }) => kind === "sample" && step !== undefined),
  );
  expect(drawn).toHaveLength(4);
  expect(undrawn).toEqual([]);
  expect(samplesOf(RunDirectory.open(join(folder, "without")).readLog())).toEqual([]);
  const [a, b] = ["with", "without"].map((run) =>
    readFileSync(join(folder, run, "step-000011", "model.safetensors")),
  );
  expect(b.equals(a)).toBe(true);
  // The sample at the end is the run's result, and remains.
  expect(parseLines(outcomes[1].stdout).at(-1)).toMatchObject({ kind: "sample" });
});

it("a fine-tuned model samples from a known character if the text starts with an unknown one", async () => {
  writeFileSync(join(folder, "plain.txt"), TEXT.replaceAll("\n", " "));
  writeFileSync(join(folder, "odd.txt"), `Ω\n${TEXT.replaceAll("\n", " ")}`);
  await succeedHere(folder, "train", "--data", "plain.txt", ...TINY, "--steps", 2, "--out", "plain");
  const on = ["train", "--from", "plain", "--data", "odd.txt", "--unknown", "drop", "--threads", 1];
  await succeedHere(folder, ...on, "--steps", 3, "--out", "odd");
  expect(samplesOf(RunDirectory.open(join(folder, "odd")).readLog())).toHaveLength(1);
});
