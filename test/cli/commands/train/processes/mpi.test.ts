/**
 * Training on several processes, started by mpirun: the same bits on any number of them, one log, one lock; what ends
 * one process ends all; processes that were started differently are refused. Other commands share their work, or work
 * on one process.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { startProcesses } from "../../../../support/mpi.ts";
import { MPIS, processOf } from "../../../../support/mpi-launchers.ts";
import {
  makeFolderWithText,
  parseLines,
  succeed,
  TINY,
  TRAIN_AND_SAMPLE,
} from "../../../../support/program.ts";

const PATIENCE = { timeout: 120_000 };
const SETTINGS = [
  ...["--steps", 8, "--grad-accumulation", 4, "--dropout", 0.1, "--windows", "epochs", "--optimizer", "muon"],
  ...["--average-steps", 3, "--eval-interval", 4, "--checkpoint-interval", 4, "--quiet"],
];
const { folder, at } = makeFolderWithText(300);
const alone = succeed(folder, ...TRAIN_AND_SAMPLE, ...SETTINGS, "--out", "alone");
const EVAL = ["eval", "alone", "--json", "--threads", 1];
const ABLATE = ["ablate", "--data", "text.txt", ...TINY, "--steps", 3, "--seeds", 2, "--vary", "dropout=0.2"];
const evaluated = alone.then(() => succeed(folder, ...EVAL));
const ablated = succeed(folder, ...ABLATE, "--results", "ablated");

/** Results of an ablation, without times. */
function results(file: string): unknown[] {
  return parseLines(readFileSync(at(file), "utf8")).map(({ elapsedMs, ...run }) => run);
}

/** SHA-256 of the newest checkpoint, and of the log without times. */
function remains(run: string): string[] {
  const step = readFileSync(at(run, "latest"), "utf8").trim();
  const hashes = ["model.safetensors", "optimizer.safetensors"].map((file) =>
    createHash("sha256")
      .update(readFileSync(at(run, step, file)))
      .digest("hex"),
  );
  const log = parseLines(readFileSync(at(run, "log.jsonl"), "utf8")).map(({ elapsedMs, ...entry }) => entry);
  return [step, ...hashes, JSON.stringify(log)];
}

describe.each(MPIS)("on several processes with $name", ({ skipped, ...mpi }) => {
  const launch = (processes: number, ...words: readonly (string | number)[]) =>
    startProcesses(
      mpi,
      folder,
      Array.from({ length: processes }, () => [...TRAIN_AND_SAMPLE, ...words]),
    );

  it.skipIf(skipped)(
    "a run has the bits of one process, in one directory with one log",
    PATIENCE,
    async () => {
      await alone;
      for (const [processes, ...more] of [[2], [4, "--shard-optimizer"]] as const) {
        const out = `${mpi.launcher}-${processes}`;
        const { code, stderr } = await launch(processes, ...SETTINGS, ...more, "--out", out).outcome;
        expect(code, stderr).toBe(0);
        expect(stderr.match(/^training on \d processes/gm), stderr).toEqual([
          `training on ${processes} processes`,
        ]);
        expect(stderr.match(/^saved in/gm)).toHaveLength(1);
        expect(remains(out)).toEqual(remains("alone"));
      }
    },
  );

  it.skipIf(skipped)(
    "a run is stopped by a signal to any process, in steps or an evaluation, and resumes on another number",
    PATIENCE,
    async () => {
      await alone;
      // The second run spends most of its time in evaluations.
      for (const [rank, signal, then, settings] of [
        [0, "SIGUSR1", 1, []],
        [1, "SIGTERM", 4, ["--eval-interval", 2, "--eval-batches", 150, "--shard-optimizer"]],
      ] as const) {
        const out = `${mpi.launcher}-${signal}`;
        const slow = ["--steps", 8000, "--log-every", 1, "--out", out];
        const run = launch(2, ...SETTINGS, ...slow, ...settings);
        await run.shows(/^step 3\//m, "stderr");
        process.kill(processOf(rank, out) ?? Number.NaN, signal);
        const { code, stderr } = await run.outcome;
        expect(code, stderr).not.toBe(0);
        expect(stderr).toMatch(/^stopped after step \d+ and saved/m);
        const step = Number(/\d+/.exec(readFileSync(at(out, "latest"), "utf8"))?.[0]);
        cpSync(at(out), at(`${out}-on`), { recursive: true });
        const more = ["--resume", "--steps", step + 3, "--schedule", "constant"];
        const resumed = startProcesses(
          mpi,
          folder,
          Array.from({ length: then }, () => [
            "train",
            ...more,
            "--threads",
            1,
            "--quiet",
            "--out",
            `${out}-on`,
          ]),
        );
        expect((await resumed.outcome).code).toBe(0);
        await succeed(folder, "train", ...more, "--threads", 1, "--quiet", "--out", out);
        expect(remains(`${out}-on`)).toEqual(remains(out));
      }
    },
  );

  it.skipIf(skipped)("eval and ablate share their work, and sample does not", PATIENCE, async () => {
    const file = `${mpi.launcher}-ablated`;
    const sample = ["sample", "alone", "--tokens", 3, "--threads", 1];
    const start = (...words: readonly (string | number)[]) =>
      startProcesses(mpi, folder, [words, words]).outcome;
    const { stdout } = await evaluated;
    const evaluation = await start(...EVAL);
    expect(evaluation.stdout).toBe(stdout);
    expect(evaluation.stderr).toMatch(/^evaluating on 2 processes/);
    await ablated;
    const ablation = await start(...ABLATE, "--results", file);
    expect(results(file)).toEqual(results("ablated"));
    expect(ablation.stderr.match(/^run \d\/4 /gm)).toHaveLength(4);
    const sampled = await start(...sample);
    expect(sampled.stderr.match(/^nopeek sample works on one process/gm)).toHaveLength(1);
    expect(sampled.stderr.match(/^model alone/gm)).toHaveLength(1);
    expect([evaluation, ablation, sampled].map(({ code }) => code)).toEqual([0, 0, 0]);
  });

  it.skipIf(skipped)("a process that is killed ends the others", PATIENCE, async () => {
    const out = `${mpi.launcher}-killed`;
    const run = launch(
      3,
      ...SETTINGS,
      "--steps",
      8000,
      "--grad-accumulation",
      3,
      "--log-every",
      1,
      "--out",
      out,
    );
    await run.shows(/^step 5\//m, "stderr");
    process.kill(processOf(2, out) ?? Number.NaN, "SIGKILL");
    expect((await run.outcome).code).not.toBe(0);
    expect([0, 1, 2].map((rank) => processOf(rank, out))).toEqual([null, null, null]);
  });

  it.skipIf(skipped)("processes with another seed, or another text, are refused", PATIENCE, async () => {
    const out = `${mpi.launcher}-refused`;
    const given = [...TRAIN_AND_SAMPLE, ...SETTINGS, "--out", out];
    const seeds = await startProcesses(mpi, folder, [given, [...given, "--seed", 7]]).outcome;
    expect(seeds.code).not.toBe(0);
    expect(seeds.stderr).toMatch(
      /^nopeek: process 1 on \S+ was started with --seed 7, process 0 with no --seed: give all the same flags/m,
    );
    expect(existsSync(at(out))).toBe(false);

    // Each process reads its text in the folder that it is started in.
    const other = at(`${mpi.launcher}-other`);
    rmSync(other, { recursive: true, force: true });
    mkdirSync(other);
    writeFileSync(`${other}/text.txt`, `${readFileSync(at("text.txt"), "utf8").slice(1)}s`);
    const words = startProcesses(mpi, folder, [given, given], [folder, other]);
    const texts = await words.outcome;
    expect(texts.code).not.toBe(0);
    expect(texts.stderr).toMatch(/^nopeek: process 1 on \S+: text.txt is not the text that process 0 reads/m);
  });

  it.skipIf(skipped)(
    "a number of processes that cannot share a step is refused with those that can",
    PATIENCE,
    async () => {
      const { code, stderr } = await launch(3, ...SETTINGS, "--out", `${mpi.launcher}-three`).outcome;
      expect(code).not.toBe(0);
      expect(stderr).toMatch(
        /^nopeek: 3 processes cannot share the 4 parts of a step \(--grad-accumulation 4\)/m,
      );
      expect(stderr).toContain("can be 3, 6, 12, 24, …; it can stay 4 with 1 or 2 processes");
    },
  );
});
