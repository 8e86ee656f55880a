/** The state of a run, read from its directory without changing anything. */

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { NopeekError } from "../errors.ts";
import { smallestOf } from "../util/extremes.ts";
import { stepOfName } from "./checkpoint.ts";
import { runConfigFromJSON } from "./config.ts";
import { explainFailures, nodeFiles } from "./files.ts";
import { readConfig, readPointer } from "./layout.ts";
import { ownerOf, type Processes } from "./lock.ts";
import { evaluationEntry, readRecords, readStepsAsked, stepEntry } from "./log.ts";

export interface RunSummary {
  readonly path: string;
  /** "running", "finished", "stopped early", "stopped", or "damaged: " and the reason. */
  readonly status: string;
  /** Steps made, and steps to make in all. */
  readonly step: number;
  readonly steps: number;
  /** The lowest validation loss in the log; null before the first evaluation. */
  readonly bestLossNats: number | null;
  /** The size of the whole directory. */
  readonly bytes: number;
  /** Time spent in steps. */
  readonly trainedMs: number;
}

const files = explainFailures(nodeFiles);

/** Summarizes a run. A run that cannot be read has the status "damaged", with the reason. */
export function summarizeRun(path: string, processes: Processes): RunSummary {
  const bytes = sizeOf(path);
  try {
    const { settings } = runConfigFromJSON(readConfig(files, path), join(path, "config.json"));
    const records = readRecords(files, path);
    const made = records.flatMap((record) => stepEntry.safeParse(record).data ?? []);
    const losses = records.flatMap((record) => evaluationEntry.safeParse(record).data?.lossNats ?? []);
    const saved = stepOfName(readPointer(files, path, "latest") ?? "") ?? 0;
    const running = ownerOf(path, processes) !== null;
    const step = running ? (made.at(-1)?.step ?? saved) : saved;
    // A resume may change the number of steps, and may continue after an early stop.
    const steps = readStepsAsked(files, path) ?? settings.steps;
    const early = records.some((record) => record.kind === "early stop" && record.step === step);
    const ended = step >= steps ? "finished" : early ? "stopped early" : "stopped";
    return {
      path,
      status: running ? "running" : ended,
      step,
      steps,
      bestLossNats: losses.length === 0 ? null : smallestOf(losses),
      bytes,
      trainedMs: made.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0),
    };
  } catch (error) {
    if (!(error instanceof NopeekError)) throw error;
    const status = `damaged: ${error.message}`;
    return { path, status, step: 0, steps: 0, bestLossNats: null, bytes, trainedMs: 0 };
  }
}

/** Files that a running program removes meanwhile count as empty. */
function sizeOf(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const stats = names.map((name) => statSync(join(folder, name), { throwIfNoEntry: false }));
  return stats.reduce((sum, found) => sum + (found?.isFile() ? found.size : 0), 0);
}
