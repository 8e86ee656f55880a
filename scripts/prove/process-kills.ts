/**
 * Ends one of several processes that train together, at random moments: while they start, in a step, in an evaluation,
 * and while a checkpoint is written. The job must end, no process may be left, and a plain restart, on another number of
 * processes, must lead to the bits of one process that was never interrupted.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Random } from "../../src/random.ts";
import { stepFolderName } from "../../src/run/checkpoint.ts";
import { RunDirectory } from "../../src/run/on-disk.ts";
import { type Mpi, processOf } from "../../test/support/mpi-launchers.ts";
import { compare, finalBits, inspect, type KillPlan, type KillReport, textOf } from "./kills.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const PARTS = 4;
const PROCESSES = [2, 4];
const SIGNALS = ["SIGKILL", "SIGKILL", "SIGABRT", "SIGTERM", "SIGUSR1"] as const;
const MOMENTS = ["start", "step", "evaluation", "save"] as const;
type Moment = (typeof MOMENTS)[number];
const SAVE_STEPS = 4;
/** A job that has not ended after this time hangs. */
const HANG_MS = 60_000;

export interface ProcessKillReport extends KillReport {
  /** Signals of each moment. */
  readonly moments: Readonly<Record<Moment, number>>;
  /** The longest time from a signal to the end of the job. */
  readonly longestMs: number;
}

/** @throws Error if a job hangs or leaves a process, or a run cannot resume or ends with different bits */
export async function proveProcessKills(plan: KillPlan, mpis: readonly Mpi[]): Promise<ProcessKillReport> {
  const { kills, seed, steps, folder } = plan;
  const random = Random.of(seed, "process kills");
  writeFileSync(join(folder, "text.txt"), textOf(random));
  const alone = await startJob(plan, "whole", [process.execPath]).ended;
  if (alone.code !== 0) throw new Error(`the uninterrupted run failed: ${alone.output}`);
  const whole = finalBits(join(folder, "whole"));

  const moments = { start: 0, step: 0, evaluation: 0, save: 0 };
  const report = { kills: 0, finished: 0, midway: 0, early: 0, longestMs: 0 };
  for (let name = "run-1"; report.kills < kills || RunDirectory.isRun(join(folder, name)); ) {
    const mpi = pick(random, mpis);
    const processes = pick(random, PROCESSES);
    const job = startJob(plan, name, [mpi.launcher, ...mpi.words, "-n", `${processes}`, process.execPath]);
    let endedBy: string | null = null;
    if (report.kills < kills) {
      const moment = pick(random, MOMENTS);
      const [rank, signal] = [random.below(processes), pick(random, SIGNALS)];
      await Promise.race([job.reaches(moment, random), job.ended]);
      const pid = await job.processOfRank(rank);
      const startMs = performance.now();
      if (pid !== null && send(pid, signal)) {
        endedBy = `${signal} to process ${rank} of ${processes}, ${mpi.name}, in ${moment}`;
        report.kills += 1;
        moments[moment] += 1;
        await Promise.race([job.ended, hang(`${name}: hangs after ${endedBy}`)]);
        report.longestMs = Math.max(report.longestMs, performance.now() - startMs);
      }
    }
    const { code, output } = await job.ended;
    const left = Array.from({ length: PARTS }, (_, rank) => processOf(rank, name) ?? []).flat();
    if (left.length > 0) throw new Error(`${name}: processes ${left} are left after ${endedBy}`);
    if (code !== 0 && endedBy === null) throw new Error(`${name} could not resume: ${output}`);
    const { latest, midway } = inspect(join(folder, name));
    if (endedBy !== null && latest === null) report.early += 1;
    if (endedBy !== null && midway) report.midway += 1;
    if (latest !== stepFolderName(steps)) continue;
    compare(`${name}, last ${endedBy}`, finalBits(join(folder, name)), whole);
    report.finished += 1;
    name = `run-${report.finished + 1}`;
  }
  return { ...report, moments };
}

/** Starts a run, or resumes it. */
function startJob({ folder, steps }: KillPlan, name: string, launcher: readonly string[]) {
  const settings =
    `--data text.txt --layers 1 --heads 2 --d-model 6 --context-length 13 --batch-size 2 --grad-accumulation ${PARTS} ` +
    `--steps ${steps} --checkpoint-interval ${SAVE_STEPS} --keep-checkpoints 2 --eval-interval 2 --dropout 0.1 ` +
    "--average-steps 3 --skip-spikes 2 --patience 1000 --learning-rate 0.1 --schedule constant --warmup-steps 0";
  const words = RunDirectory.isRun(join(folder, name)) ? ["--resume"] : settings.split(" ");
  const [program, ...before] = launcher;
  const all = [...before, MAIN, "train", ...words, "--out", name, "--threads", "1", "--json", "--no-samples"];
  const child = spawn(program, all, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  let runs = true;
  const ended = once(child, "close").then(([code]) => {
    runs = false;
    return { code, output };
  });
  /** Waits until the last line is one of this kind, about a step after which a checkpoint is saved. */
  const shows = async (kind: string) => {
    const line = new RegExp(`"kind":"${kind}","step":(\\d+),[^\\n]*\\n$`);
    while (runs && Number(line.exec(output)?.[1] ?? 1) % SAVE_STEPS !== 0)
      await Promise.race([once(child.stdout, "data"), ended]);
  };

  /** Waits until the job has come to a moment of this kind. */
  const reaches = async (moment: Moment, random: Random): Promise<void> => {
    if (moment === "start") await pause(random.below(900));
    else await shows(moment === "save" ? "evaluation" : "step");
    // A checkpoint takes a few milliseconds, an evaluation some more.
    const after = { start: 0, step: 200, evaluation: 10, save: 5 };
    await pause(random.below(after[moment] + 1));
  };
  /** Waits for the process of a rank; null if the job ends. */
  const processOfRank = async (rank: number): Promise<number | null> => {
    for (;;) {
      const pid = processOf(rank, name);
      if (pid !== null || !runs) return pid;
      await pause(5);
    }
  };
  return { ended, reaches, processOfRank };
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)];
}

/** Whether the process was still there. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function hang(message: string): Promise<never> {
  await pause(HANG_MS, undefined, { ref: false });
  throw new Error(message);
}
