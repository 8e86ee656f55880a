/** The state of a run, read from its directory without changing anything. */
import { CheckpointError, NopeekError } from "../errors.ts";
import { joinPath } from "../util/paths.ts";
import { stepOfName } from "./checkpoint.ts";
import { runConfigFromJSON } from "./config.ts";
import { explainFailures, type Files } from "./files.ts";
import { readConfig, readPointer } from "./layout.ts";
import { type Holder, holderOf, type Processes } from "./lock.ts";
import {
  asEvaluation,
  asStep,
  asVerdict,
  type LogEntry,
  type RunEvaluation,
  type RunVerdict,
} from "./log.ts";
import { LogReader } from "./log-reader.ts";

export interface RunSummary {
  readonly path: string;
  /**
   * "running", "locked by HOST" (a process there runs, or died with its host), "finished", "stopped early", "stopped",
   * "imported", or "damaged: " and the reason.
   */
  readonly status: string;
  /** What the loss at the end means, such as "overfitting"; null if the run has not ended, or has none. */
  readonly verdict: string | null;
  /** The same in sentences. */
  readonly verdictText: string | null;
  /** Steps made, and steps to make in all. */
  readonly step: number;
  readonly steps: number;
  /** The validation loss of the best checkpoint, which was measured, not estimated; null before there is one. */
  readonly bestLossNats: number | null;
  /** The same in bits per byte; null if it was not logged. */
  readonly bestBitsPerByte: number | null;
  /** The step of that checkpoint. */
  readonly bestStep: number | null;
  /** The size of the whole directory. */
  readonly bytes: number;
  /** Time spent in steps. */
  readonly trainedMs: number;
}

/** What a summary reads besides the config. */
export interface SummaryOptions {
  readonly files: Files;
  /** Called with each entry of the log that counts, oldest first, so that the log is read only once. */
  readonly onEntry?: (entry: LogEntry) => void;
}

/** Summarizes a run. A run that cannot be read has the status "damaged", with the reason. */
export function summarizeRun(path: string, processes: Processes, options: SummaryOptions): RunSummary {
  const files = explainFailures(options.files);
  try {
    return readSummary(path, processes, { ...options, files });
  } catch (error) {
    if (!(error instanceof NopeekError)) throw error;
    const bytes = sizeOf(files, path);
    const status = `damaged: ${error.message}`;
    const unknown = { verdict: null, verdictText: null, bestLossNats: null, bestBitsPerByte: null };
    return { path, status, ...unknown, bestStep: null, step: 0, steps: 0, bytes, trainedMs: 0 };
  }
}

/** Summarizes a run. @throws CheckpointError or ConfigError when it cannot be read */
export function readSummary(
  path: string,
  processes: Processes,
  { files: given, onEntry = () => {} }: SummaryOptions,
): RunSummary {
  const files = explainFailures(given);
  const { settings, origin } = runConfigFromJSON(readConfig(files, path), joinPath(path, "config.json"));
  // Before the log: the best step is evaluated first, then named.
  const named = stepOfName(readPointer(files, path, "best") ?? "");
  const log = new LogReader(files, path);
  const { made, trainedMs, best, stoppedAt, lastVerdict } = totalsOf(log, named, onEntry);
  const saved = stepOfName(readPointer(files, path, "latest") ?? "") ?? 0;
  const holder = holderOf(path, processes, files);
  const step = holder !== null ? (made ?? saved) : saved;
  // A resume may change the number of steps, and may continue after an early stop.
  const steps = log.stepsAsked ?? settings.steps;
  const trained = step >= steps ? "finished" : stoppedAt.has(step) ? "stopped early" : "stopped";
  const ended = origin === undefined ? trained : "imported";
  const status = holder === null ? ended : statusOf(holder);
  // One from before a resume says nothing about the steps since.
  const isCurrent = holder === null && lastVerdict !== null && lastVerdict.step >= step;
  const verdict = isCurrent ? lastVerdict.verdict : null;
  const verdictText = isCurrent ? lastVerdict.text : null;
  const bytes = sizeOf(files, path);
  return {
    path,
    status,
    verdict,
    verdictText,
    step,
    steps,
    bestLossNats: best?.lossNats ?? null,
    bestBitsPerByte: best?.bitsPerByte ?? null,
    bestStep: best?.step ?? null,
    bytes,
    trainedMs,
  };
}

function statusOf({ owner, isAlive }: Holder): string {
  return isAlive ? "running" : `locked by ${owner.machine}`;
}

function totalsOf(log: LogReader, bestStep: number | null, onEntry: (entry: LogEntry) => void) {
  let made: number | null = null;
  let trainedMs = 0;
  let best: RunEvaluation | null = null;
  let lastVerdict: RunVerdict | null = null;
  const stoppedAt = new Set<number>();
  for (const entry of log.entries()) {
    onEntry(entry);
    const step = asStep(entry);
    const evaluation = asEvaluation(entry);
    if (step !== null) {
      made = step.step;
      trainedMs += step.elapsedMs;
    }
    // The last one counts: a resume may have evaluated the best step again, on other tokens.
    if (evaluation !== null && !evaluation.isEstimate && evaluation.step === bestStep) best = evaluation;
    lastVerdict = asVerdict(entry) ?? lastVerdict;
    if (entry.kind === "early stop") stoppedAt.add(entry.step);
  }
  return { made, trainedMs, best, stoppedAt, lastVerdict };
}

/** The size of the files of a run and its steps. Files that a running program removes meanwhile count as empty. */
function sizeOf(files: Files, path: string): number {
  try {
    const found = files.inspect(path);
    if (found?.type === "file") return found.bytes;
    if (found?.type !== "folder") return 0;
    return files.list(path).reduce((sum, name) => sum + sizeOf(files, joinPath(path, name)), 0);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return 0;
  }
}
