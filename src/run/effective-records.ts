/** Which entries of a log count when its steps overlap. */
import type { LogEntry } from "./log.ts";

/**
 * Keeps the last entry written for each step: a repeated step discards its earlier entry and those of later steps.
 * Resuming already does this through the log itself; a log that was copied or concatenated may still overlap.
 */
export function effectiveRecords(records: readonly LogEntry[]): LogEntry[] {
  const kept: LogEntry[] = [];
  for (const record of records) {
    if (record.kind === "step") while ((kept.at(-1)?.step ?? -1) >= record.step) kept.pop();
    kept.push(record);
  }
  return kept;
}
