/**
 * The log of a run: one JSON object per line, append-only. Resuming does not rewrite it: it adds a line that discards
 * the entries after the step at which the run resumes.
 */
import { join } from "node:path";
import { z } from "zod";
import type { Files } from "./files.ts";
import { LOG } from "./layout.ts";

/** One entry of the log. A step is the number of updates made so far. */
export interface LogEntry {
  readonly step: number;
  readonly [field: string]: unknown;
}

const entry = z.looseObject({ step: z.number() });
const resumption = z.strictObject({ resumedAfterStep: z.number(), steps: z.number().optional() });

/** A training step. A number that was not finite is null, as in JSON. */
export const stepEntry = z.object({
  kind: z.literal("step"),
  step: z.number(),
  elapsedMs: z.number(),
  lossNats: z.number().nullable().catch(null),
  learningRate: z.number().nullable().catch(null),
  gradientNorm: z.number().nullable().catch(null),
});

/** An evaluation on the validation set. */
export const evaluationEntry = z.object({
  kind: z.literal("evaluation"),
  step: z.number(),
  lossNats: z.number(),
});

const sampleEntry = z.object({ kind: z.literal("sample"), step: z.number(), text: z.string() });

/** A text that the model wrote during training, without its prompt. */
export type RunSample = Readonly<z.infer<typeof sampleEntry>>;

/** Appends an entry. Numbers that are not finite become null, because JSON has no other notation for them. */
export function appendRecord(files: Files, run: string, fields: { readonly step: number }): void {
  files.append(join(run, LOG), `${JSON.stringify(fields)}\n`);
}

/**
 * Discards the entries after `step`. Completes the last line first if a kill cut it short.
 *
 * @param steps total number of steps of the run from now on
 */
export function appendResumption(files: Files, run: string, step: number, steps: number): void {
  const file = join(run, LOG);
  const text = readText(files, file);
  const newline = text === "" || text.endsWith("\n") ? "" : "\n";
  files.append(file, `${newline}${JSON.stringify({ resumedAfterStep: step, steps })}\n`);
}

/** The entries that count: without discarded ones, and without lines that a kill cut short. */
export function readRecords(files: Files, run: string): LogEntry[] {
  let records: LogEntry[] = [];
  for (const line of readText(files, join(run, LOG)).split("\n")) {
    const value = parseLine(line);
    const resumed = resumption.safeParse(value).data?.resumedAfterStep;
    const found = entry.safeParse(value).data;
    if (resumed !== undefined) records = records.filter(({ step }) => step <= resumed);
    if (found !== undefined) records.push(found);
  }
  return records;
}

/** The total number of steps asked for at the last resume; null if the run was never resumed. */
export function readStepsAsked(files: Files, run: string): number | null {
  const lines = readText(files, join(run, LOG)).split("\n");
  const resumed = lines.flatMap((line) => resumption.safeParse(parseLine(line)).data ?? []);
  return resumed.at(-1)?.steps ?? null;
}

/** The samples in a log, in the order of their steps. If a step has two, the later one counts. */
export function samplesOf(records: readonly LogEntry[]): RunSample[] {
  const samples = new Map<number, RunSample>();
  for (const record of records) {
    const sample = sampleEntry.safeParse(record).data;
    if (sample !== undefined) samples.set(sample.step, sample);
  }
  return [...samples.values()].sort((a, b) => a.step - b.step);
}

/** Flushes the log to disk. */
export function flushLog(files: Files, run: string): void {
  const file = join(run, LOG);
  if (files.exists(file)) files.flush(file);
}

function readText(files: Files, file: string): string {
  return files.exists(file) ? new TextDecoder().decode(files.read(file, 2 ** 29)) : "";
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
