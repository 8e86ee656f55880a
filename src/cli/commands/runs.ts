/** `nopeek runs`: lists the runs in a folder with loss, size, training time and status. Read-only. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError, NopeekError } from "../../errors.ts";
import { stepOfName } from "../../run/checkpoint.ts";
import { runConfigFromJSON } from "../../run/config.ts";
import { RunDirectory } from "../../run/directory.ts";
import { explainFailures, nodeFiles } from "../../run/files.ts";
import { readConfig, readPointer } from "../../run/layout.ts";
import { ownerOf, type Processes } from "../../run/lock.ts";
import { readRecords, readStepsAsked } from "../../run/log.ts";
import { formatCount, formatDuration, formatLoss } from "../../util/format.ts";
import { withFlagNames } from "../options/settings-flags.ts";
import { processes } from "../shared/process-lock.ts";
import { Terminal } from "../terminal/output.ts";

export interface RunSummary {
  readonly path: string;
  readonly status: string;
  /** Steps done, and steps planned. */
  readonly step: number;
  readonly steps: number;
  /** The lowest validation loss in the log, or null before the first evaluation. */
  readonly bestLossNats: number | null;
  /** Total size of the run directory. */
  readonly bytes: number;
  /** Total time spent in training steps. */
  readonly trainedMs: number;
}

const stepRecord = z.object({ kind: z.literal("step"), step: z.number(), elapsedMs: z.number() });
const evaluationRecord = z.object({ kind: z.literal("evaluation"), lossNats: z.number() });
const files = explainFailures(nodeFiles);

export interface RunsFlags {
  readonly json?: boolean;
}

export function listRuns(folder: string, { json }: RunsFlags): void {
  const terminal = new Terminal();
  if (!existsSync(folder))
    throw new DataError(`${folder}: there is no such folder; start a run with nopeek train`);
  if (!statSync(folder).isDirectory())
    throw new DataError(`${folder}: is a file; name a run directory or a folder of run directories`);
  const paths = [folder, ...readdirSync(folder).map((name) => join(folder, name))];
  const system = processes();
  const runs = paths.filter((path) => RunDirectory.isRun(path)).map((path) => describeRun(path, system));
  if (json) for (const run of runs) terminal.json(run);
  else if (runs.length === 0) terminal.note(`${folder}: contains no run; start one with nopeek train`);
  else for (const line of tableOf(runs, process.stdout.columns)) terminal.write(`${line}\n`);
}

/** Summarizes a run. A run that cannot be read has the status "damaged" and the reason. */
export function describeRun(path: string, system: Processes): RunSummary {
  const bytes = sizeOf(path);
  try {
    const { settings } = runConfigFromJSON(readConfig(files, path), join(path, "config.json"));
    const records = readRecords(files, path);
    const made = records.flatMap((record) => stepRecord.safeParse(record).data ?? []);
    const losses = records.flatMap((record) => evaluationRecord.safeParse(record).data?.lossNats ?? []);
    const saved = stepOfName(readPointer(files, path, "latest") ?? "") ?? 0;
    const running = ownerOf(path, system) !== null;
    const step = running ? (made.at(-1)?.step ?? saved) : saved;
    // A resumed run may have a different number of steps than it started with, and may continue after an early stop.
    const steps = readStepsAsked(files, path) ?? settings.steps;
    const early = records.some((record) => record.kind === "early stop" && record.step === step);
    const ended = step >= steps ? "finished" : early ? "stopped early" : "stopped";
    return {
      path,
      status: running ? "running" : ended,
      step,
      steps,
      bestLossNats: losses.length === 0 ? null : Math.min(...losses),
      bytes,
      trainedMs: made.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0),
    };
  } catch (error) {
    if (!(error instanceof NopeekError)) throw error;
    const status = `damaged: ${withFlagNames(error.message)}`;
    return { path, status, step: 0, steps: 0, bestLossNats: null, bytes, trainedMs: 0 };
  }
}

/** Columns to drop, in this order, if the terminal is too narrow. */
const DISPENSABLE = [4, 3];
/** Spaces between columns. */
const GAP = 2;

/** @param columns width of the terminal, or undefined if there is none */
export function tableOf(runs: readonly RunSummary[], columns: number | undefined): string[] {
  let rows = [
    ["run", "best loss", "steps", "trained", "size", "status"],
    ...runs.map(({ path, bestLossNats, step, steps, trainedMs, bytes, status }) => [
      path,
      bestLossNats === null ? "–" : formatLoss(bestLossNats),
      `${formatCount(step)}/${formatCount(steps)}`,
      trainedMs === 0 ? "–" : formatDuration(trainedMs),
      `${(bytes / 1e6).toFixed(1)} MB`,
      status,
    ]),
  ];
  for (const column of DISPENSABLE) {
    if (columns === undefined || widthOf(rows) <= columns) break;
    rows = rows.map((row) => row.filter((_, at) => at !== column));
  }
  const widths = widthsOf(rows);
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join(" ".repeat(GAP))
      .trimEnd(),
  );
}

function widthsOf(rows: readonly string[][]): number[] {
  return rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
}

function widthOf(rows: readonly string[][]): number {
  const widths = widthsOf(rows);
  return widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));
}

/** Sums file sizes. A running run may delete files while they are being listed. */
function sizeOf(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const stats = names.map((name) => statSync(join(folder, name), { throwIfNoEntry: false }));
  return stats.reduce((sum, found) => sum + (found?.isFile() ? found.size : 0), 0);
}
