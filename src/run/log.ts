/**
 * The log of a run: one JSON object a line, only ever added to. A resume does not rewrite it: it adds a line that
 * takes back the steps after the one that the run goes on from.
 */
import { join } from "node:path";
import { z } from "zod";
import type { Files } from "./files.ts";
import { LOG } from "./layout.ts";

/** What the log says of a step. Steps count updates made. */
export interface LogEntry {
  readonly step: number;
  readonly [field: string]: unknown;
}

const record = z.looseObject({ step: z.number() });
const resumption = z.strictObject({ resumedAfterStep: z.number(), steps: z.number().optional() });

/** Numbers that are not finite become null, which is all that JSON has for them. */
export function appendRecord(files: Files, run: string, fields: { readonly step: number }): void {
  files.append(join(run, LOG), `${JSON.stringify(fields)}\n`);
}

/**
 * Takes back what the log says of steps after `step`; ends a line that was cut short.
 *
 * @param steps how many the run is to make in all from now on
 */
export function appendResumption(files: Files, run: string, step: number, steps: number): void {
  const file = join(run, LOG);
  const text = readText(files, file);
  const newline = text === "" || text.endsWith("\n") ? "" : "\n";
  files.append(file, `${newline}${JSON.stringify({ resumedAfterStep: step, steps })}\n`);
}

/** The records in force: without those taken back, and without lines that a kill cut short. */
export function readRecords(files: Files, run: string): LogEntry[] {
  let records: LogEntry[] = [];
  for (const line of readText(files, join(run, LOG)).split("\n")) {
    const value = parseLine(line);
    const resumed = resumption.safeParse(value).data?.resumedAfterStep;
    const found = record.safeParse(value).data;
    if (resumed !== undefined) records = records.filter(({ step }) => step <= resumed);
    if (found !== undefined) records.push(found);
  }
  return records;
}

/** How many steps the run was to make in all when it last went on; null where it never did, or does not say. */
export function readStepsAsked(files: Files, run: string): number | null {
  const lines = readText(files, join(run, LOG)).split("\n");
  const resumed = lines.flatMap((line) => resumption.safeParse(parseLine(line)).data ?? []);
  return resumed.at(-1)?.steps ?? null;
}

/** Puts the log on the disk. */
export function flushLog(files: Files, run: string): void {
  const file = join(run, LOG);
  if (files.exists(file)) files.flush(file);
}

function readText(files: Files, file: string): string {
  return files.exists(file) ? new TextDecoder().decode(files.read(file)) : "";
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
