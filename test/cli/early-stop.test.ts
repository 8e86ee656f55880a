/** `nopeek train --patience`: a run that memorizes a small text stops, and its best checkpoint is kept. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { succeedHere } from "../support/in-process.ts";
import {
  makeFolderWithText,
  type Outcome,
  parseLines,
  START_MS,
  succeed,
  TRAIN,
} from "../support/program.ts";

const { folder } = makeFolderWithText(40);
const flags = ["--steps", 5000, "--eval-interval", 20, "--patience", 3, "--average-steps", 10].concat([
  "--learning-rate",
  0.03,
  "--schedule",
  "constant",
  "--warmup-steps",
  5,
  "--positions",
  "rotary",
  "--d-model",
  12,
]);

let run: Outcome;
beforeAll(async () => {
  run = await succeed(folder, ...TRAIN, "--out", "run", ...flags, "--json");
}, START_MS);

describe("a run that overfits", () => {
  it("stops after `patience` evaluations without a better one, and prints the reason and the remedies", () => {
    const evaluations = parseLines(run.stdout).filter(({ kind }) => kind === "evaluation");
    const losses = evaluations.map(({ lossNats }) => Number(lossNats));
    for (const { method } of evaluations) expect(method).toBe("whole split");
    expect(losses.indexOf(Math.min(...losses))).toBe(losses.length - 4);
    expect(run.code).toBe(0);
    for (const words of [
      "3 evaluations without a lower validation loss",
      "The model is overfitting",
      "--config run/config.json --dropout 0.1",
    ]) {
      expect(run.stderr).toContain(words);
    }
    expect(parseLines(run.stdout).find(({ kind }) => kind === "early stop")).toMatchObject({
      step: 20 * losses.length,
      isOverfitting: true,
      best: { step: 20 * (losses.length - 3), validationNats: Math.min(...losses) },
    });
  });

  it("keeps the best checkpoint by the whole split, which eval uses, with averaged weights too", async () => {
    const best = readFileSync(join(folder, "run/best"), "utf8").trim();
    const stop = parseLines(run.stdout).find(({ kind }) => kind === "early stop");
    const { step, validationNats } = Object(stop?.best);
    expect(best).toBe(`step-${String(step).padStart(6, "0")}`);
    const { stdout } = await succeedHere(folder, "eval", "--model", "run", "--data", "text.txt", "--json");
    expect(parseLines(stdout)[0].lossNats).toBe(validationNats);
  });

  it("resumes with more patience, and does nothing without", async () => {
    const words = ["train", "--resume", "--out", "run", "--threads", 1, "--json"];
    const same = await succeedHere(folder, ...words);
    expect(parseLines(same.stdout).filter(({ kind }) => kind === "step")).toEqual([]);
    expect(same.stderr).toContain("3 evaluations without a lower validation loss");
    const more = await succeedHere(folder, ...words, "--patience", 4);
    const steps = parseLines(more.stdout).filter(({ kind }) => kind === "step");
    expect(steps).toHaveLength(20);
    expect(more.stderr).toContain("4 evaluations without a lower validation loss");
  });
});
