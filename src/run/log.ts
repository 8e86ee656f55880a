/**
 * The log of a run: one JSON object per line, append-only. Resuming does not rewrite it: it adds a line that discards
 * the entries after the step at which the run resumes.
 */
import * as z from "zod/mini";
import { joinPath } from "../util/paths.ts";
import type { Files } from "./files.ts";
import { LOG } from "./layout.ts";

const LF = 10;

/** One entry of the log. A step is the number of updates made so far. */
export interface LogEntry {
  readonly step: number;
  readonly [field: string]: unknown;
}

/** The number of a step. */
export const stepNumber = z.int().check(z.minimum(0));
/** Larger than any float32. A larger loss is damage, and a chart could not show it. */
const LARGEST = 1e39;
const measure = z.number().check(z.minimum(-LARGEST), z.maximum(LARGEST));

const stepEntry = z.object({
  kind: z.literal("step"),
  step: stepNumber,
  elapsedMs: z.number().check(z.minimum(0), z.maximum(1e15)),
  lossNats: z.catch(z.nullable(measure), null),
  learningRate: z.catch(z.nullable(measure), null),
  gradientNorm: z.catch(z.nullable(measure), null),
});

const evaluationEntry = z.object({
  kind: z.enum(["evaluation", "estimate"]),
  step: stepNumber,
  lossNats: measure,
  bitsPerByte: z.catch(z.optional(measure), undefined),
  method: z.catch(z.optional(z.string()), undefined),
});
/** The method of an estimate, which earlier versions logged as an evaluation. */
const ESTIMATED = "random windows";
const sampleEntry = z.object({ kind: z.literal("sample"), step: stepNumber, text: z.string() });

const verdictEntry = z.object({
  kind: z.literal("verdict"),
  step: stepNumber,
  verdict: z.string().check(z.maxLength(100)),
  text: z.string(),
});

/** A training step. A number that was not finite is null, as in JSON. */
export type RunStep = Readonly<z.infer<typeof stepEntry>>;
/** A validation loss: measured on the whole split or a fixed set, or estimated from a few random windows. */
export interface RunEvaluation {
  readonly step: number;
  readonly lossNats: number;
  /** The same in bits per UTF-8 byte of the text; null if it was not logged, or there is no text. */
  readonly bitsPerByte: number | null;
  readonly isEstimate: boolean;
}
/** A text that the model wrote during training, without its prompt. */
export type RunSample = Readonly<z.infer<typeof sampleEntry>>;

/** What a run's loss means, in a word and in sentences. */
export type RunVerdict = Readonly<z.infer<typeof verdictEntry>>;

// The kind is compared first, because a failing parse is slow and a log has millions of entries.

/** null if the entry is not a valid training step. */
export function asStep(entry: LogEntry): RunStep | null {
  return entry.kind === "step" ? (stepEntry.safeParse(entry).data ?? null) : null;
}

/** null if the entry is not a valid evaluation or estimate. */
export function asEvaluation(entry: LogEntry): RunEvaluation | null {
  if (entry.kind !== "evaluation" && entry.kind !== "estimate") return null;
  const found = evaluationEntry.safeParse(entry).data;
  if (found === undefined) return null;
  const { kind, step, lossNats, bitsPerByte = null, method } = found;
  return { step, lossNats, bitsPerByte, isEstimate: kind === "estimate" || method === ESTIMATED };
}

/** null if the entry is not a valid sample. */
export function asSample(entry: LogEntry): RunSample | null {
  return entry.kind === "sample" ? (sampleEntry.safeParse(entry).data ?? null) : null;
}

/** null if the entry is not a valid verdict. */
export function asVerdict(entry: LogEntry): RunVerdict | null {
  return entry.kind === "verdict" ? (verdictEntry.safeParse(entry).data ?? null) : null;
}

/** Appends an entry. Numbers that are not finite become null, because JSON has no other notation for them. */
export function appendRecord(files: Files, run: string, fields: { readonly step: number }): void {
  files.append(joinPath(run, LOG), `${JSON.stringify(fields)}\n`);
}

/**
 * Discards the entries after `step`. Completes the last line first if a kill cut it short.
 *
 * @param steps total number of steps of the run from now on
 */
export function appendResumption(files: Files, run: string, step: number, steps: number): void {
  const file = joinPath(run, LOG);
  const bytes = files.inspect(file)?.bytes ?? 0;
  const whole = bytes === 0 || files.readPart(file, bytes - 1, 1)[0] === LF;
  files.append(file, `${whole ? "" : "\n"}${JSON.stringify({ resumedAfterStep: step, steps })}\n`);
}

/** The samples in a log, in the order of their steps. If a step has two, the later one counts. */
export function samplesOf(records: readonly LogEntry[]): RunSample[] {
  const samples = new Map<number, RunSample>();
  for (const record of records) {
    const sample = asSample(record);
    if (sample !== null) samples.set(sample.step, sample);
  }
  return [...samples.values()].sort((a, b) => a.step - b.step);
}

/** Flushes the log to disk. */
export function flushLog(files: Files, run: string): void {
  const file = joinPath(run, LOG);
  if (files.exists(file)) files.flush(file);
}
