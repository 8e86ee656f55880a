/** `nopeek ablate`: its table, its file of results, and what it rejects. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { nopeekHere, succeedHere } from "../../../support/in-process.ts";
import {
  expectComplaint,
  makeFolderWithText,
  type Outcome,
  parseLines,
  START_MS,
  succeed,
  TINY,
} from "../../../support/program.ts";

const { folder, text: TEXT } = makeFolderWithText(400);
const base = ["ablate", "--data", "text.txt", ...TINY, "--steps", 7, "--seeds", 2, "--results", "runs.jsonl"];
const varied = [...base, "--vary", "optimizer=muon", "--vary", "learning-rate=10 warmup-steps=0"];

let first: Outcome;
beforeAll(async () => {
  first = await succeed(folder, ...varied);
}, START_MS);

describe("nopeek ablate", () => {
  it("evaluates on the end of the training split, and says so", () => {
    const training = Math.floor((TEXT.length * 9) / 10);
    const heldOut = training - Math.floor(training * 0.9);
    expect(first.stderr).toContain(`the last ${heldOut} tokens of the training split (10%)`);
    expect(first.stderr).toContain("the validation split is not used");
    for (const { tokens, holdout } of parseLines(readFileSync(join(folder, "runs.jsonl"), "utf8"))) {
      expect({ tokens, holdout }).toEqual({ tokens: heldOut, holdout: 0.1 });
    }
  });

  it("does not use the validation split: replacing it does not change the losses", async () => {
    const training = Math.floor((TEXT.length * 9) / 10);
    const reversed = Array.from(TEXT.slice(training)).reverse().join("");
    writeFileSync(join(folder, "other.txt"), TEXT.slice(0, training) + reversed);
    const words = varied.map(
      (word) => ({ "text.txt": "other.txt", "runs.jsonl": "other.jsonl" })[word] ?? word,
    );
    await succeedHere(folder, ...words);
    const losses = ["runs.jsonl", "other.jsonl"].map((file) =>
      parseLines(readFileSync(join(folder, file), "utf8")).map(({ lossNats }) => lossNats),
    );
    expect(losses[0]).toEqual(losses[1]);
    expect(losses[0]).toHaveLength(6);
  });

  it("runs seed by seed and prints a table of mean, spread and verdict", () => {
    const order = [...first.stderr.matchAll(/^run \d+\/6 {2}seed (\d+) {2}(.+?):/gm)].map(
      ([, seed, name]) => [seed, name],
    );
    const names = ["base", "--optimizer muon", "--learning-rate 10 --warmup-steps 0"];
    expect(order).toEqual(["1337", "1338"].flatMap((seed) => names.map((name) => [seed, name])));
    const [head, ...rows] = first.stdout.trimEnd().split("\n");
    const columns = ["setting", "loss", "bits/byte", "spread", "difference", "p", "seeds for 0.01", "time"];
    expect(head.split(/ {2,}/)).toEqual(columns);
    expect(rows.map((row) => row.split(/ {2,}/)[0])).toEqual(names);
    expect(rows[1]).toMatch(/(better|worse|no difference shown)$/);
    expect(rows[2]).toMatch(/(worse|no difference shown|diverged)$/);
    expect(first.stderr).toContain("corrected for 2 comparisons (Holm)");
  });

  it("does not repeat finished runs, and continues after a truncated line", async () => {
    const file = join(folder, "runs.jsonl");
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, whole.slice(0, -20));
    const again = await succeedHere(folder, ...varied, "--json");
    expect(again.stderr).toContain("5 of 6 runs already done");
    expect(again.stderr.match(/^run /gm)).toHaveLength(1);
    const rows = parseLines(again.stdout);
    expect(rows[0]).toMatchObject({ name: "base" });
    for (const name of ["differenceNats", "p", "verdict", "seedsToShow"])
      expect(rows[1]).toHaveProperty(name);
    const done = await succeedHere(folder, ...varied);
    expect(done.stderr).toContain("6 of 6 runs already done");
    const timeless = (text: string) => text.replaceAll(/ *(\d+ min )?\d+ m?s/g, "");
    expect(timeless(done.stdout)).toBe(timeless(first.stdout));
  });

  it("leaves out variations that do not fit the base with the reason, and rejects requested ones", async () => {
    const odd = [...base.slice(0, -2), "--d-model", 10, "--steps", 0, "--seeds", 1, "--results", "odd.jsonl"];
    const { stderr, stdout } = await succeedHere(folder, ...odd);
    expect(stderr).toContain("left out    --positions rotary: rotary positions rotate pairs of channels");
    expect(stdout).toContain("--qk-norm");
    expect(stdout).not.toContain("rotary");
    expectComplaint(await nopeekHere(folder, ...odd, "--vary", "positions=rotary"), 2, "pairs of channels");
  });

  it.each([
    [["--seeds", 0], "--seeds must be a whole number of at least 1"],
    [["--holdout", 1], "--holdout must be a share between 0 and 1"],
    [["--difference", 0], "--difference must be a number of nats above 0"],
    [["--model", "encoder"], "ablate only compares gpt models"],
    [["--vary", "layer=3"], 'did you mean "layers"?'],
  ])("rejects %j", async (words, message) => {
    const outcome = await nopeekHere(folder, ...base, ...words);
    expectComplaint(outcome, 2, message);
  });

  it("reports a text that is too short and a results file that cannot be written", async () => {
    writeFileSync(join(folder, "short.txt"), TEXT.slice(0, 80));
    const short = await nopeekHere(folder, "ablate", "--data", "short.txt", ...TINY);
    expectComplaint(short, 1, "too short for --holdout 0.1");
    const nowhere = await nopeekHere(folder, ...base, "--results", "no/such/folder.jsonl");
    expectComplaint(nowhere, 1, "cannot write no/such/folder.jsonl");
  });

  it("accepts several texts and a config, as train does", async () => {
    const [whole, cut] = [`${TEXT}\n`, TEXT.indexOf("\n", 900) + 1];
    writeFileSync(join(folder, "whole.txt"), whole);
    writeFileSync(join(folder, "a.txt"), whole.slice(0, cut));
    writeFileSync(join(folder, "b.txt"), whole.slice(cut));
    const steps = ["--steps", 7, "--seeds", 2, "--json", "--vary", "optimizer=muon"];
    const lossesOf = async (...words: (string | number)[]) => {
      const { stdout } = await succeedHere(folder, "ablate", ...words);
      return parseLines(stdout).map(({ meanNats }) => meanNats);
    };
    const one = await lossesOf("--data", "whole.txt", ...TINY, ...steps, "--results", "one.jsonl");
    const two = await lossesOf("--data", "a.txt", "b.txt", ...TINY, ...steps, "--results", "two.jsonl");
    expect(two).toEqual(one);
    const textbook = ["--preset", "gpt2-style", ...TINY];
    await succeedHere(folder, "train", "--data", "a.txt", "b.txt", ...textbook, "--steps", 7, "--out", "run");
    const threads = ["--threads", 1];
    const words = ["--config", "run/config.json", ...steps.slice(2), ...threads, "--results", "three.jsonl"];
    expect(await lossesOf(...words)).toEqual(one);
  });
});
