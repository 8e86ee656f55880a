/** Reads runs in every state that a run can be in. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { findRuns, namesOf } from "../../../../src/cli/commands/plot/find-runs.ts";
import { readRun } from "../../../../src/cli/commands/plot/read-run.ts";
import { processes } from "../../../../src/cli/shared/process-lock.ts";
import { CheckpointError, ConfigError } from "../../../../src/errors.ts";
import type { PlottedRun } from "../../../../src/report/plotted-run.ts";
import { warningsAbout } from "../../../../src/report/plotted-run.ts";
import { RunLock } from "../../../../src/run/lock.ts";
import { nodeFiles } from "../../../../src/run/node-files.ts";
import { summarizeRun } from "../../../../src/run/summary.ts";
import { exampleRun } from "../../../report/example-runs.ts";
import { makeFolderWithText, START_MS, succeed, TRAIN_AND_SAMPLE } from "../../../support/program.ts";
import { logOf } from "../../../support/run-files.ts";

const { folder, text, at } = makeFolderWithText(200);
const words = [...TRAIN_AND_SAMPLE, "--steps", 8, "--eval-interval", 3];

beforeAll(async () => {
  await succeed(folder, ...words, "--checkpoint-interval", 4, "--out", "checkpoints/whole");
}, START_MS);

/** Makes a run with this log. */
function runWith(name: string, log: string): string {
  cpSync(at("checkpoints/whole/config.json"), at(name, "config.json"));
  writeFileSync(at(name, "log.jsonl"), log);
  return at(name);
}
const read = async (path: string) => (await readRun(path, "a name", processes())).run;
const step = (step: number, lossNats: number | null, elapsedMs = 500) =>
  `${JSON.stringify({ kind: "step", step, lossNats, learningRate: 0.1, gradientNorm: 2, elapsedMs })}\n`;
const evaluation = (step: number, lossNats: number) =>
  `${JSON.stringify({ kind: "evaluation", step, lossNats })}\n`;
const train = ({ curves }: PlottedRun) => curves.train;

describe("a run", () => {
  it("is read completely after training", async () => {
    const run = await read(at("checkpoints/whole"));
    expect(run).toMatchObject({
      ...{ name: "a name", model: "gpt", status: "finished", step: 8, steps: 8, tokensPerStep: 39 },
      ...{ corpus: expect.stringMatching(/^text\.txt: [\d,]+ characters$/), floorNats: null, smoothing: 1 },
    });
    expect(run.uniformNats).toBeCloseTo(Math.log(new Set(text).size), 12);
    expect(run.settings).toMatchObject({ "--layers": "1", "--bias": "on", "--steps": "8" });
    expect(run.settings).not.toHaveProperty("--task");
    const lines = logOf(at("checkpoints/whole"));
    const logged = lines.filter(({ kind }) => kind === "step");
    let spentMs = 0;
    const expected = logged.map((line) => {
      spentMs += Number(line.elapsedMs);
      return [line.step, spentMs / 1000, line.lossNats];
    });
    expect(train(run)).toEqual(expected);
    expect(run.trainedMs).toBeCloseTo(spentMs, 6);
    const losses = (wanted: string) =>
      lines.flatMap(({ kind, step, lossNats }) => (kind === wanted ? [[step, lossNats]] : []));
    const shown = (curve: PlottedRun["curves"]["train"]) => curve.map(([at, , loss]) => [at, loss]);
    expect(shown(run.curves.validation)).toEqual(losses("evaluation"));
    expect(shown(run.curves.estimates)).toEqual(losses("estimate"));
    expect([run.curves.validation, run.curves.estimates].map(({ length }) => length)).toEqual([2, 2]);
    expect(run.samples.map((sample) => sample.step)).toEqual([3, 4, 6, 8]);
    const best = Number(readFileSync(at("checkpoints/whole/best"), "utf8").slice("step-".length));
    const [, lossNats] = losses("evaluation").find(([at]) => at === best) ?? [];
    // Each token is a character of one byte.
    const bitsPerByte = expect.closeTo(Number(lossNats) / Math.LN2, 9);
    expect(run.best).toEqual({ step: best, lossNats, bitsPerByte });
    expect(run.next.map(({ command }) => command.replace(/ --prompt .*/, ""))).toEqual([
      ...(best === 8 ? [`npx nopeek train --resume --out ${at("checkpoints/whole")} --steps 100`] : []),
      `npx nopeek sample --model ${at("checkpoints/whole")}`,
    ]);
  });

  it("with a truncated last log line ends at the line before", async () => {
    const whole = step(1, 3) + step(2, 2.5);
    for (const cut of [1, 30, step(3, 2).length - 2]) {
      const run = await read(runWith("cut", whole + step(3, 2).slice(0, cut)));
      expect(train(run)).toEqual([
        [1, 0.5, 3],
        [2, 1, 2.5],
      ]);
    }
  });

  it("that was killed and resumed uses the later log lines, with or without a resume record", async () => {
    const before =
      step(1, 3) + step(2, 2.5) + evaluation(2, 2.4) + step(3, 2.2) + evaluation(3, 2.1) + step(4, 2);
    const after = step(3, 2.25) + evaluation(3, 2.15);
    for (const between of ["", '{"resumedAfterStep":2}\n']) {
      const run = await read(runWith("resumed", before + between + after));
      expect(train(run).map(([at, seconds, loss]) => [at, seconds, loss])).toEqual([
        [1, 0.5, 3],
        [2, 1, 2.5],
        [3, 1.5, 2.25],
      ]);
      expect(run.curves.validation.map((point) => point[2])).toEqual([2.4, 2.15]);
      expect(run.trainedMs).toBe(1500);
    }
  });

  it("evaluated twice at a step uses the later evaluation", async () => {
    const run = await read(
      runWith("twice", step(1, 3) + evaluation(1, 2) + evaluation(1, 2.5) + step(2, 3) + evaluation(2, 2.75)),
    );
    expect(run.curves.validation.map((point) => point[2])).toEqual([2.5, 2.75]);
  });

  it("has as its best loss what was measured of the best checkpoint, never a lucky estimate", async () => {
    const estimate = (at: number, lossNats: number) =>
      evaluation(at, lossNats).replace("evaluation", "estimate");
    // Earlier versions logged estimates as evaluations.
    const old = evaluation(4, 0.2).replace("}", ',"method":"random windows"}');
    const log =
      step(1, 3) + evaluation(1, 2.5) + step(2, 3) + estimate(2, 0.1) + step(3, 3) + evaluation(3, 2.75);
    const path = runWith("estimated", log + step(4, 3) + old);
    expect((await read(path)).best).toBeNull();
    writeFileSync(join(path, "best"), "step-000001\n");
    const run = await read(path);
    expect(run.best).toEqual({ step: 1, lossNats: 2.5, bitsPerByte: null });
    expect(run.curves.validation.map(([at]) => at)).toEqual([1, 3]);
    expect(run.curves.estimates.map(([at, , loss]) => [at, loss])).toEqual([
      [2, 0.1],
      [4, 0.2],
    ]);
    expect(summarizeRun(path, processes(), { files: nodeFiles })).toMatchObject({
      bestLossNats: 2.5,
      bestStep: 1,
    });
    // A resume that changed what is evaluated has evaluated the best step again.
    const again = evaluation(1, 2.625).replace("}", ',"bitsPerByte":1.75}');
    writeFileSync(join(path, "log.jsonl"), `${log}{"resumedAfterStep":3}\n${again}`);
    expect((await read(path)).best).toEqual({ step: 1, lossNats: 2.625, bitsPerByte: 1.75 });
  });

  it("skips a loss that was not finite", async () => {
    expect(
      train(await read(runWith("odd", step(1, 3) + step(2, null) + step(3, 2)))).map(([at]) => at),
    ).toEqual([1, 3]);
  });

  it("without steps or without a log is empty", async () => {
    const empty = await read(runWith("empty", ""));
    expect(empty).toMatchObject({ step: 0, status: "stopped", best: null, trainedMs: 0, samples: [] });
    expect(Object.values(empty.curves).every((curve) => curve.length === 0)).toBe(true);
    rmSync(at("empty", "log.jsonl"));
    expect((await read(at("empty"))).curves).toEqual(empty.curves);
  });

  it("has the verdict of its end, unless it was resumed or its verdict is damaged", async () => {
    const verdict = '{"kind":"verdict","step":2,"verdict":"weak","text":"It settled above n-grams."}\n';
    const path = runWith("judged", step(1, 3) + step(2, 2.5) + verdict);
    const summary = () => summarizeRun(path, processes(), { files: nodeFiles });
    expect(summary()).toMatchObject({ verdict: "weak", verdictText: "It settled above n-grams." });
    expect((await read(path)).verdict).toBe("It settled above n-grams.");
    const steps = step(1, 3) + step(2, 2.5);
    for (const log of [
      `${steps}${verdict}{"resumedAfterStep":1,"steps":4}\n`,
      steps + verdict.replace('"weak"', "5"),
      steps + verdict.replace('"weak"', `"${"w".repeat(200)}"`),
      steps,
    ]) {
      writeFileSync(join(path, "log.jsonl"), log);
      expect(summary(), log).toMatchObject({ verdict: null, verdictText: null });
    }
    const lock = RunLock.take(path, processes(), nodeFiles);
    writeFileSync(join(path, "log.jsonl"), steps + verdict);
    expect(summary()).toMatchObject({ status: "running", verdict: null });
    lock.release();
  });

  it("in progress has that status, counts its steps and suggests no resume command", async () => {
    const path = runWith("running", step(1, 3) + step(2, 2.5));
    const lock = RunLock.take(path, processes(), nodeFiles);
    const run = await read(path);
    lock.release();
    expect(run).toMatchObject({ status: "running", step: 2 });
    expect(run.next.map(({ purpose }) => purpose)).toEqual(["sample from the model"]);
    expect((await read(path)).next[0].command).toBe(`npx nopeek train --resume --out ${path}`);
  });

  it("locked by another host says which host, since its process may have died", async () => {
    const path = runWith("elsewhere", step(1, 3) + step(2, 2.5));
    const self = { ...processes().self, machine: "trainer-0", boot: "another boot" };
    const lock = RunLock.take(path, { self, isAlive: () => null }, nodeFiles);
    const run = await read(path);
    lock.release();
    expect(run).toMatchObject({ status: "locked by trainer-0", step: 2 });
    expect(run.next.map(({ purpose }) => purpose)).toEqual(["sample from the model"]);
  });

  it("with a broken config is an error", async () => {
    mkdirSync(at("broken"));
    writeFileSync(at("broken", "config.json"), "{");
    await expect(read(at("broken"))).rejects.toThrow(CheckpointError);
  });

  it("that is bundled has the entropy floor of the tales", async () => {
    const run = await read("checkpoints/tales");
    expect(run.floorNats).toBeCloseTo(0.5146, 4);
    expect(run.curves.train).toEqual([]);
    expect(run.step).toBe(5800);
  });
});

describe("findRuns", () => {
  const inFolder = <T>(body: () => T): T => {
    const here = process.cwd();
    process.chdir(folder);
    try {
      return body();
    } finally {
      process.chdir(here);
    }
  };
  const find = (...names: string[]) => inFolder(() => findRuns(names));

  it("finds a run by path, by name or by step folder, without duplicates", () => {
    for (const word of [
      "whole",
      "checkpoints/whole",
      "checkpoints/whole/",
      "checkpoints/whole/step-000004",
      "whole/step-000008",
    ])
      expect(find(word).paths.map((path) => path.replace(/\/$/, ""))).toEqual([join("checkpoints", "whole")]);
    expect(find("whole", "checkpoints/whole", "whole/step-000008").paths).toHaveLength(1);
  });

  it("separates files that are not runs, and suggests the nearest run for a missing path", () => {
    expect(find("text.txt", "whole")).toMatchObject({ others: ["text.txt"] });
    expect(() => find("text.txt")).toThrow(ConfigError);
    expect(() => find("whale")).toThrow('there is no run "whale"; did you mean checkpoints/whole?');
    expect(() => find("checkpoints/hole")).toThrow("did you mean checkpoints/whole?");
    expect(() => find("text.txt/x/y")).toThrow('there is no run "text.txt/x/y"');
    expect(() => find("nowhere/at/all")).toThrow("there is no run");
  });

  it("names runs by their shortest unique path ending", () => {
    expect(namesOf(["a/one", "a/two"])).toEqual(["one", "two"]);
    expect(namesOf(["a/one", "b/one", "c/two"])).toEqual(["a/one", "b/one", "two"]);
  });
});

it("warns about losses that are not comparable", () => {
  const first = exampleRun();
  expect(warningsAbout([first, exampleRun({ name: "second" })])).toEqual([]);
  expect(warningsAbout([first, exampleRun({ model: "encoder" })])[0]).toContain("different kinds");
  expect(warningsAbout([first, exampleRun({ corpusId: "other" })])[0]).toContain("different texts");
  expect(warningsAbout([first, exampleRun({ uniformNats: 5.5 })])[0]).toContain("different vocabularies");
});
