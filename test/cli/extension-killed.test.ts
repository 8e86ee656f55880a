/**
 * A run that is lengthened with another learning rate and killed, at any change on disk, resumes without flags and ends
 * with the bits of one that was never killed: what a resume changes is recorded before the first step that uses it.
 */
import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { nodeFiles } from "../../src/run/node-files.ts";
import { RunDirectory } from "../../src/run/on-disk.ts";
import { nopeekHere } from "../support/in-process.ts";
import { makeFolderWithText, START_MS, TRAIN } from "../support/program.ts";

const { folder, at } = makeFolderWithText(100);
const SHORT = 10;
const LONG = 22;
const here = (...words: readonly (string | number)[]) =>
  nopeekHere(folder, ...words, "--threads", 1, "--json");
const extend = (run: string) =>
  here("train", "--resume", "--out", run, "--steps", LONG, "--learning-rate", 0.004, "--schedule", "linear");

class Killed extends Error {}

/** The operations that change something on disk. */
const CHANGES = ["write", "append", "flush", "createFolder", "flushFolder", "rename", "remove"] as const;

/** Lets `budget` changes on disk happen, and fails all that follow, as after a kill. Returns how many there were. */
async function withChanges(budget: number, body: () => Promise<unknown>): Promise<number> {
  let made = 0;
  const originals = { ...nodeFiles };
  for (const name of CHANGES) {
    const operation = originals[name];
    Object.assign(nodeFiles, {
      [name]: (...words: readonly unknown[]) => {
        if (made >= budget) throw new Killed();
        made += 1;
        return Reflect.apply(operation, originals, words);
      },
    });
  }
  try {
    await body();
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  } finally {
    Object.assign(nodeFiles, originals);
  }
  return made;
}

function copyOfShort(name: string): string {
  rmSync(at(name), { recursive: true, force: true });
  cpSync(at("short"), at(name), { recursive: true });
  return name;
}

/** The last weights and moments, and the loss and learning rate of each step. */
function resultOf(run: string) {
  const directory = RunDirectory.open(at(run));
  const { model, optimizer, step } = directory.loadStep("latest");
  const steps = directory.readLog().filter(({ kind }) => kind === "step");
  const losses = steps.map(({ step, lossNats, learningRate }) => [step, lossNats, learningRate]);
  return { step, model, optimizer, losses };
}

let changes = 0;
beforeAll(async () => {
  const flags = [
    "--steps",
    SHORT,
    "--checkpoint-interval",
    4,
    "--keep-checkpoints",
    2,
    "--optimizer",
    "muon",
  ];
  await here(...TRAIN, "--out", "short", ...flags, "--warmup-steps", 3, "--dropout", 0.1, "--no-samples");
  changes = await withChanges(Number.POSITIVE_INFINITY, () => extend(copyOfShort("whole")));
}, START_MS);

it("ends with the same bits, killed at any of 30 changes on disk", async () => {
  const whole = resultOf("whole");
  expect(whole.step).toBe(LONG);
  expect(whole.losses[SHORT][2]).toBe(0.004);
  const before = readFileSync(at("short/config.json"), "utf8");
  // Each of the first ones, where the change is recorded, and some of those that follow.
  const budgets = Array.from({ length: 30 }, (_, i) =>
    i < 12 ? i : 12 + Math.floor(((i - 12) * (changes - 12)) / 18),
  );
  expect(new Set(budgets).size).toBe(30);
  const unrecorded: number[] = [];
  for (const budget of budgets) {
    await withChanges(budget, () => extend(copyOfShort("killed")));
    // The lock of a killed process is ignored; this process lives on.
    for (const name of readdirSync(at("killed")))
      if (name.includes("lock")) rmSync(at("killed", name), { recursive: true });
    if (readFileSync(at("killed/config.json"), "utf8") === before) {
      unrecorded.push(budget);
      expect(readFileSync(at("killed/log.jsonl"), "utf8")).not.toContain(`"step":${SHORT + 1},`);
      continue;
    }
    const { code, stderr } = await here("train", "--resume", "--out", "killed");
    expect(code, stderr).toBe(0);
    expect(resultOf("killed"), `killed after ${budget} of ${changes} changes`).toEqual(whole);
  }
  // Kills before the record leave the run as it was.
  expect(unrecorded.length).toBeGreaterThan(0);
  expect(unrecorded.length).toBeLessThan(12);
}, 120_000);
