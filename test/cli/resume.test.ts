/**
 * A resumed run is bit-identical to an uninterrupted one. The run has dropout, so that misplaced randomness would
 * show.
 */
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { RunDirectory } from "../../src/run/on-disk.ts";
import {
  makeFolderWithText,
  type Outcome,
  type Program,
  START_MS,
  start,
  succeed,
  TRAIN_AND_SAMPLE,
} from "../support/program.ts";

/** Enough steps that a signal sent after the first few arrives long before the last. */
const STEPS = 997;
const LAST = "step-000997";
const { folder } = makeFolderWithText(200);
const run = ["--steps", STEPS, "--dropout", 0.1, "--eval-interval", 400];
const training = [...TRAIN_AND_SAMPLE, ...run, "--checkpoint-interval", 400, "--eval-batches", 1];

beforeAll(async () => {
  await succeed(folder, ...training, "--out", "whole");
}, START_MS);

/** Runs until some steps are done, sends a signal, and waits for the end. */
async function stop(program: Program, signal: NodeJS.Signals, seen = /"step":7,/): Promise<Outcome> {
  await program.shows(seen, "stdout");
  program.process.kill(signal);
  return program.outcome;
}

function expectSameAsWhole(name: string): void {
  for (const file of ["model.safetensors", "optimizer.safetensors"]) {
    const [resumed, whole] = [name, "whole"].map((each) => readFileSync(join(folder, each, LAST, file)));
    expect(resumed.equals(whole), `${name}/${file}`).toBe(true);
  }
  expect(lossesOf(name)).toEqual(lossesOf("whole"));
}

/** The loss and learning rate of every step in the final log. */
function lossesOf(name: string) {
  const steps = RunDirectory.open(join(folder, name))
    .readLog()
    .filter(({ kind }) => kind === "step");
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
  return steps.map(({ lossNats, learningRate }) => [lossNats, learningRate]);
}

function latestOf(name: string): string {
  return readFileSync(join(folder, name, "latest"), "utf8").trim();
}

describe("a run that is stopped and resumed", () => {
  it("trains at all", () => {
    const losses = lossesOf("whole").map(([loss]) => Number(loss));
    expect(losses[STEPS - 1]).toBeLessThan(losses[0] - 0.5);
  });

  it("by Ctrl-C: it saves, prints the resume command, and ends with the same bits", async () => {
    const stopped = await stop(start(folder, ...training, "--out", "interrupted", "--json"), "SIGINT");
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain(
      "and saved; resume with\n  npx nopeek train --resume --out interrupted\n",
    );
    const done = Number(/stopped after step (\d+)/.exec(stopped.stderr)?.[1]);
    expect(done).toBeLessThan(STEPS);
    expect(latestOf("interrupted")).toBe(`step-${String(done).padStart(6, "0")}`);
    // With another number of threads, too.
    const { stderr } = await succeed(folder, "train", "--resume", "--out", "interrupted", "--threads", 3);
    expect(stderr).toContain(`resumed     after step ${done}\n`);
    expectSameAsWhole("interrupted");
  });

  it.each([
    ["SIGTERM", "as schedulers send it", 143],
    ["SIGHUP", "as a terminal sends it when it is closed", 129],
  ] as const)("by %s, %s", async (signal, _why, code) => {
    const stopped = await stop(start(folder, ...training, "--out", signal, "--json"), signal);
    expect(stopped.code).toBe(code);
    expect(stopped.stderr).toContain("and saved");
    const latest = latestOf(signal);
    expect(Number(latest.slice("step-".length))).toBeLessThan(STEPS);
    expect(RunDirectory.open(join(folder, signal)).loadStep().name).toBe(latest);
  });

  it("by kill -9, before the first checkpoint and after one", async () => {
    const killed = await stop(start(folder, ...training, "--out", "killed", "--json"), "SIGKILL");
    expect(killed.signal).toBe("SIGKILL");
    const again = start(folder, "train", "--resume", "--out", "killed", "--threads", 1, "--json");
    await again.shows(/"kind":"step","step":4[1-9]\d,/, "stdout");
    again.process.kill("SIGKILL");
    await again.outcome;
    expect(latestOf("killed")).toBe("step-000400");
    await succeed(folder, "train", "--resume", "--out", "killed", "--threads", 1);
    expectSameAsWhole("killed");
  });

  it("because its output was closed", async () => {
    const program = start(folder, ...training, "--out", "unread", "--json");
    await program.shows(/"step":7,/, "stdout");
    program.process.stdout?.destroy();
    const { code, stderr } = await program.outcome;
    expect(code).toBe(130);
    expect(stderr).toContain("and saved");
    expect(stderr).not.toContain("    at ");
    expect(Number(latestOf("unread").slice("step-".length))).toBeLessThan(STEPS);
  });
});

describe("Ctrl-C", () => {
  it("is heard at once in a long evaluation, and resumed with that evaluation", async () => {
    cpSync(join(folder, "whole"), join(folder, "evaluating"), { recursive: true });
    const long = ["--eval-interval", 998, "--eval-batches", 65_536];
    const words = ["train", "--resume", "--out", "evaluating", "--steps", 999, "--json"];
    const stopped = await stop(start(folder, ...words, ...long), "SIGINT", /"step":998,/);
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain("stopped after step 998 and saved");
    expect(latestOf("evaluating")).toBe("step-000998");
    const { stdout } = await succeed(folder, ...words, "--eval-interval", 998, "--eval-batches", 1);
    expect(stdout).toMatch(/^{"kind":"estimate","step":998,.*\n(?:.*\n)*{"kind":"step","step":999,/m);
  });

  it("in a lengthened run prints a resume command without the new length, which is recorded", async () => {
    cpSync(join(folder, "whole"), join(folder, "a longer run"), { recursive: true });
    const words = ["train", "--resume", "--out", "a longer run", "--steps", 9999, "--json"];
    const program = start(folder, ...words);
    await program.shows(/"kind":"step"/, "stdout");
    program.process.kill("SIGINT");
    const { stderr } = await program.outcome;
    expect(stderr).toContain("npx nopeek train --resume --out 'a longer run'\n");
    const config = readFileSync(join(folder, "a longer run", "config.json"), "utf8");
    expect(config).toContain('"steps": 9999');
  });
});

describe("a run that has made all its steps", () => {
  it("says so when resumed, and keeps its weights", async () => {
    const before = readdirSync(join(folder, "whole"));
    const { stderr } = await succeed(folder, "train", "--resume", "--out", "whole");
    expect(stderr).toContain("no steps are left; --steps adds more");
    expect(readdirSync(join(folder, "whole"))).toEqual(before);
    expect(existsSync(join(folder, "whole", latestOf("whole")))).toBe(true);
  });
});
