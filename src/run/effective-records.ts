/** Which records of a log count. */
import type { LogEntry } from "./log.ts";

/**
 * Of a log whose steps overlap, what was written last: a step that is made again takes back what is there of it and of
 * later ones. (A resume says so in the log itself; one that was copied or put together may not.)
 */
export function effectiveRecords(records: readonly LogEntry[]): LogEntry[] {
  const kept: LogEntry[] = [];
  for (const record of records) {
    if (record.kind === "step") while ((kept.at(-1)?.step ?? -1) >= record.step) kept.pop();
    kept.push(record);
  }
  return kept;
}
