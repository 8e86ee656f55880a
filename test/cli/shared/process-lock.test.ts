/** Two programs on one run directory. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  expectComplaint,
  makeFolderWithText,
  nopeek,
  parseLines,
  start,
  succeed,
  TRAIN,
} from "../../support/program.ts";

const { folder } = makeFolderWithText(200);
const training = [...TRAIN, "--json", "--eval-batches", 1];
const long = [...training, "--steps", 100_000, "--checkpoint-interval", 50];

const locks = (run: string) => readdirSync(join(folder, run)).filter((name) => name.startsWith(".lock"));

/** The summary of a run by `nopeek runs`. */
async function statusOf(run: string): Promise<Record<string, unknown>> {
  const { stdout } = await succeed(folder, "runs", run, "--json");
  return parseLines(stdout)[0];
}

describe("a run locked by a living process", () => {
  it("is rejected, also for a resume; after a kill, it resumes", async () => {
    const first = start(folder, ...long, "--out", "busy");
    await first.shows(/"kind":"step","step":60,/, "stdout");
    const again = await nopeek(folder, "train", "--resume", "--out", "busy");
    expectComplaint(again, 1, `busy: is in use by process ${first.process.pid}; wait for it`);
    expect(await statusOf("busy")).toMatchObject({ path: "busy", status: "running", steps: 100_000 });
    first.process.kill("SIGKILL");
    await first.outcome;
    expect(await statusOf("busy")).toMatchObject({ status: "stopped" });
    expect(locks("busy")).toHaveLength(1);
    const saved = Number(readFileSync(join(folder, "busy", "latest"), "utf8").slice("step-".length));
    const more = ["--json", "--steps", saved + 3];
    const { stdout } = await succeed(folder, "train", "--resume", "--out", "busy", ...more);
    expect(stdout).toContain(`{"kind":"step","step":${saved + 1},`);
    expect(locks("busy")).toEqual([]);
    const { status, steps, bestLossNats, bytes, trainedMs } = await statusOf("busy");
    // The config still has the larger number of steps from the start.
    expect({ status, steps }).toEqual({ status: "finished", steps: saved + 3 });
    expect(bestLossNats).toBeGreaterThan(1);
    expect(bestLossNats).toBeLessThan(4);
    expect(bytes).toBeGreaterThan(10_000);
    expect(trainedMs).toBeGreaterThan(1);
  });

  it("one trains, if two start at once in one directory", async () => {
    const words = [...training, "--steps", 300, "--out", "raced"];
    const outcomes = await Promise.all([nopeek(folder, ...words), nopeek(folder, ...words)]);
    expect(outcomes.map(({ code }) => code).sort()).toEqual([0, 1]);
    const loser = outcomes.find(({ code }) => code === 1);
    expect(loser?.stderr).toMatch(/raced: (is in use by process|already holds a run)/);
    expect(locks("raced")).toEqual([]);
  });
});

describe("nopeek runs", () => {
  it("lists every run in a folder, including damaged ones, and reports folders without any", async () => {
    await succeed(folder, ...training, "--steps", 30, "--out", "runs/done");
    await succeed(folder, ...training, "--steps", 3, "--out", "runs/broken");
    writeFileSync(join(folder, "runs", "broken", "config.json"), "{");
    const { stdout } = await succeed(folder, "runs", "runs");
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^runs\/broken +– .* damaged: runs\/broken\/config.json: is damaged/);
    expect(lines[2]).toMatch(/^runs\/done +\d\.\d{4} +\d\.\d{4} +30\/30 .* MB +finished: guessing$/);
    expect((await nopeek(folder, "runs", "nowhere")).code).toBe(1);
    // A lengthened run has the number of steps of the last resume.
    await succeed(folder, "train", "--resume", "--out", "runs/done", "--steps", 40);
    expect(await statusOf("runs/done")).toMatchObject({ status: "finished", step: 40, steps: 40 });
  });
});

describe("--keep-checkpoints", () => {
  it("sets how many checkpoints are kept; a resume may change it", async () => {
    const steps = ["--steps", 60, "--checkpoint-interval", 10, "--keep-checkpoints", 1];
    await succeed(folder, ...training, ...steps, "--out", "few");
    const saved = () => readdirSync(join(folder, "few")).filter((name) => name.startsWith("step-"));
    expect(saved().length).toBeLessThanOrEqual(2);
    expect(saved()).toContain("step-000060");
    const more = ["--steps", 120, "--keep-checkpoints", 5];
    await succeed(folder, "train", "--resume", "--out", "few", ...more);
    expect(saved().length).toBeGreaterThanOrEqual(5);
  });
});
