/** A run whose numbers overflow: it stops, reports the step, and keeps its checkpoints. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeFolderWithText, nopeek, TRAIN } from "../support/program.ts";

const { folder } = makeFolderWithText(200);
// Updates so large that the weights overflow soon, and decay that doubles them each time.
const wild = ["--learning-rate", 10, "--warmup-steps", 0, "--schedule", "constant", "--weight-decay", 10];
const training = [...TRAIN, ...wild, "--steps", 200, "--eval-batches", 1];

it("stops before a checkpoint is touched; --debug-nan names the op", async () => {
  const outcome = await nopeek(folder, ...training, "--checkpoint-interval", 2, "--out", "wild");
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toMatch(/nopeek: training: (step|after step) \d+/);
  expect(outcome.stderr).toContain("A lower learning rate (now 10)");
  const latest = readFileSync(join(folder, "wild", "latest"), "utf8").trim();
  const log = readFileSync(join(folder, "wild", "log.jsonl"), "utf8");
  const files = readdirSync(join(folder, "wild", latest));
  expect(files).toContain("model.safetensors");
  expect(log).not.toContain('"lossNats":null');
  const again = await nopeek(folder, "train", "--resume", "--out", "wild", "--debug-nan");
  expect(again.code).toBe(1);
  expect(again.stderr).toMatch(/nopeek: training: (step|after step) \d+/);
  expect(readFileSync(join(folder, "wild", "latest"), "utf8").trim()).toBe(latest);

  const words = [...training, "--checkpoint-interval", 1000, "--eval-interval", 1000, "--debug-nan"];
  const traced = await nopeek(folder, ...words, "--out", "traced");
  expect(traced.stderr).toMatch(/on windows of 13 tokens from tokens \d+, \d+, \d+ of the training split/);
  expect(traced.stderr).toMatch(
    /the first op to produce such a number is \w+ \(|hold numbers that are not finite/,
  );
  expect(traced.stderr).not.toMatch(/^\s+at /m);
});
