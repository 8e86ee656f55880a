/**
 * The log of a run: one JSON object a line, only ever added to. A resume does not rewrite it: it adds a line that
 * takes back the steps after the one that the run goes on from.
 */
import { join } from "node:path";
import { z } from "zod";
import type { Files } from "./run-files.ts";
import { LOG } from "./run-layout.ts";

/** What the log says of a step. Steps count updates made. */
export interface LogRecord {
  readonly step: number;
  readonly [field: string]: unknown;
}

const record = z.looseObject({ step: z.number() });
const resumption = z.strictObject({ resumedAfterStep: z.number() });

/** Numbers that are not finite become null, which is all that JSON has for them. */
export function appendRecord(files: Files, run: string, fields: { readonly step: number }): void {
  files.append(join(run, LOG), `${JSON.stringify(fields)}\n`);
}

/** Takes back what the log says of steps after `step`; ends a line that was cut short. */
export function appendResumption(files: Files, run: string, step: number): void {
  const file = join(run, LOG);
  const text = readText(files, file);
  const newline = text === "" || text.endsWith("\n") ? "" : "\n";
  files.append(file, `${newline}${JSON.stringify({ resumedAfterStep: step })}\n`);
}

/** The records in force: without those taken back, and without lines that a kill cut short. */
export function readRecords(files: Files, run: string): LogRecord[] {
  let records: LogRecord[] = [];
  for (const line of readText(files, join(run, LOG)).split("\n")) {
    const value = parseLine(line);
    const resumed = resumption.safeParse(value).data?.resumedAfterStep;
    const found = record.safeParse(value).data;
    if (resumed !== undefined) records = records.filter(({ step }) => step <= resumed);
    if (found !== undefined) records.push(found);
  }
  return records;
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
