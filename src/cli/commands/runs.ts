/** `nopeek runs`: lists the runs in a folder with loss, size, training time and status. Read-only. */

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../../errors.ts";
import type { Processes } from "../../run/lock.ts";
import { nodeFiles } from "../../run/node-files.ts";
import { RunDirectory } from "../../run/on-disk.ts";
import { type RunSummary, summarizeRun } from "../../run/summary.ts";
import { largestOf } from "../../util/extremes.ts";
import { formatBitsPerByte, formatCount, formatDuration, formatLoss } from "../../util/format.ts";
import { namesToFlags } from "../shared/explain-error.ts";
import { runAt } from "../shared/find-model.ts";
import { processes, thisProcess } from "../shared/process-lock.ts";
import { Terminal } from "../terminal/output.ts";

export interface RunsFlags {
  readonly json?: boolean;
}

export function listRuns(word: string, { json }: RunsFlags): void {
  const terminal = new Terminal();
  const folder = existsSync(word) ? word : (runAt(word) ?? word);
  if (!existsSync(folder))
    throw new DataError(`${folder}: there is no such folder; start a run with nopeek train`);
  if (!statSync(folder).isDirectory())
    throw new DataError(`${folder}: is a file; name a run directory or a folder of run directories`);
  const paths = [folder, ...readdirSync(folder).map((name) => join(folder, name))];
  const self = thisProcess();
  const runs = paths
    .filter((path) => RunDirectory.isRun(path))
    .map((path) => describeRun(path, processes(path, self)));
  if (json) for (const run of runs) terminal.json(run);
  else if (runs.length === 0) terminal.note(`${folder}: contains no run; start one with nopeek train`);
  else for (const line of tableOf(runs, process.stdout.columns)) terminal.write(`${line}\n`);
}

function describeRun(path: string, system: Processes): RunSummary {
  const summary = summarizeRun(path, system, { files: nodeFiles });
  return { ...summary, status: namesToFlags(summary.status) };
}

/** Columns to drop, in this order, if the terminal is too narrow. */
const DISPENSABLE = [5, 4];
/** Spaces between columns. */
const GAP = 2;

/** @param columns width of the terminal, or undefined if there is none */
export function tableOf(runs: readonly RunSummary[], columns: number | undefined): string[] {
  let rows = [
    ["run", "best loss", "bits/byte", "steps", "trained", "size", "status"],
    ...runs.map(({ path, bestLossNats, bestBitsPerByte, step, steps, trainedMs, bytes, status, verdict }) => [
      path,
      bestLossNats === null ? "–" : formatLoss(bestLossNats),
      formatBitsPerByte(bestBitsPerByte),
      steps === 0 ? "–" : `${formatCount(step)}/${formatCount(steps)}`,
      trainedMs === 0 ? "–" : formatDuration(trainedMs),
      `${(bytes / 1e6).toFixed(1)} MB`,
      verdict === null ? status : `${status}: ${verdict}`,
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
  return rows[0].map((_, column) => largestOf(rows.map((row) => row[column].length)));
}

function widthOf(rows: readonly string[][]): number {
  const widths = widthsOf(rows);
  return widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));
}
