/**
 * Kills short runs with `kill -9` at random moments and resumes them. Each run must resume, and end with the same
 * bits as a run that was never interrupted. Checkpoints come every few steps, so kills often hit the writing of one.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Random } from "../../src/random.ts";
import { stepFolderName } from "../../src/run/checkpoint.ts";
import { loadModelFiles, RunDirectory } from "../../src/run/on-disk.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface KillPlan {
  readonly kills: number;
  readonly seed: number;
  /** Steps of each run. */
  readonly steps: number;
  /** An empty folder to work in. */
  readonly folder: string;
}

export interface KillReport {
  readonly kills: number;
  /** Runs that finished, each with the bits of the uninterrupted run. */
  readonly finished: number;
  /** Kills that left a file or folder half written, half removed or set aside. */
  readonly midway: number;
  /** Kills before the first checkpoint. */
  readonly early: number;
}

/** @throws Error if a run cannot resume, or ends with different bits */
export async function proveKills(plan: KillPlan): Promise<KillReport> {
  const { kills, seed, steps, folder } = plan;
  const random = Random.of(seed, "kills");
  writeFileSync(join(folder, "text.txt"), textOf(random));
  const { ended: uninterrupted } = startRun(plan, "whole", 1);
  const { code, stderr } = await uninterrupted;
  if (code !== 0) throw new Error(`the uninterrupted run failed: ${stderr}`);
  const whole = finalBits(join(folder, "whole"));

  const report = { kills: 0, finished: 0, midway: 0, early: 0 };
  let name = "run-1";
  while (report.kills < kills || existsSync(join(folder, name))) {
    const { child, ended, trains } = startRun(plan, name, 1 + random.below(2));
    // After enough kills, the last run may finish.
    if (report.kills < kills) {
      // Mostly during training, sometimes during start-up.
      if (random.below(5) > 0) await Promise.race([trains, ended]);
      await Promise.race([pause(random.below(400)), ended]);
      child.kill("SIGKILL");
    }
    const { code, signal, stderr } = await ended;
    if (code !== 0 && signal !== "SIGKILL")
      throw new Error(`${name} could not resume after ${report.kills} kills: ${stderr}`);
    const { latest, midway } = inspect(join(folder, name));
    if (signal === "SIGKILL") {
      report.kills += 1;
      if (latest === null) report.early += 1;
      if (midway) report.midway += 1;
    }
    // A kill after the last step does not affect the result.
    if (latest !== stepFolderName(steps)) continue;
    compare(name, finalBits(join(folder, name)), whole);
    report.finished += 1;
    name = `run-${report.finished + 1}`;
  }
  return report;
}

function startRun({ folder, steps }: KillPlan, name: string, threads: number) {
  const fresh = !RunDirectory.isRun(join(folder, name));
  const words = fresh
    ? ["--data", "text.txt", "--layers 1 --heads 2 --d-model 6 --context-length 13 --batch-size 3"]
        .concat(`--steps ${steps} --checkpoint-interval 3 --keep-checkpoints 2 --eval-interval 10`)
        // Everything a checkpoint contains: dropout, weight average, gradient norms, patience.
        .concat(
          "--dropout 0.1 --average-steps 3 --skip-spikes 2 --patience 1000 --eval-batches 1",
          // A high learning rate makes the validation loss fluctuate, so that the best step is not the last.
          "--learning-rate 0.1 --schedule constant --warmup-steps 0",
        )
    : ["--resume"];
  const all = [
    "train",
    "--out",
    name,
    "--threads",
    String(threads),
    "--json",
    ...words.flatMap((word) => word.split(" ")),
  ];
  const child = spawn(process.execPath, [MAIN, ...all], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const trains = once(child.stdout, "data");
  child.stdout.resume();
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, stderr }));
  return { child, ended, trains };
}

/**
 * Inspects a run's files without repairing anything.
 *
 * @throws CheckpointError if the latest or best checkpoint does not load
 */
export function inspect(run: string): { readonly latest: string | null; readonly midway: boolean } {
  if (!existsSync(run)) return { latest: null, midway: false };
  const names = readdirSync(run);
  const latest = names.includes("latest") ? readFileSync(join(run, "latest"), "utf8").trim() : null;
  if (latest !== null) for (const which of ["latest", "best"]) loadModelFiles(run, which);
  return { latest, midway: names.some((each) => /^\..*\.(partial|replaced|removed)$/.test(each)) };
}

/** All results of a run, byte for byte: its last step, its best step, and the log of each step. */
export function finalBits(run: string): Map<string, string> {
  const directory = RunDirectory.open(run);
  const [latest, best] = [directory.latest(), directory.best()];
  if (latest === null || best === null) throw new Error(`${run}: ended without a checkpoint`);
  const bits = new Map([
    ["latest", latest],
    ["best", best],
  ]);
  for (const step of new Set([latest, best])) {
    for (const file of readdirSync(join(run, step)))
      bits.set(`${step}/${file}`, readFileSync(join(run, step, file), "hex"));
  }
  const steps = directory.readLog().filter(({ kind }) => kind === "step");
  bits.set(
    "log",
    steps.map(({ step, lossNats, learningRate }) => `${step} ${lossNats} ${learningRate}`).join("\n"),
  );
  return bits;
}

export function compare(
  name: string,
  found: ReadonlyMap<string, string>,
  whole: ReadonlyMap<string, string>,
): void {
  const names = [...new Set([...whole.keys(), ...found.keys()])];
  const differing = names.filter((each) => whole.get(each) !== found.get(each));
  if (differing.length > 0)
    throw new Error(`${name}: different bits from the uninterrupted run: ${differing.join(", ")}`);
}

export function textOf(random: Random): string {
  const words = "the fox sees a red bird and runs home to sleep under old trees while rain falls".split(" ");
  return Array.from(
    { length: 300 },
    (_, i) => words[random.below(words.length)] + (i % 9 === 8 ? ".\n" : " "),
  ).join("");
}
