import { expect, it } from "vitest";
import { effectiveRecords } from "../../src/run/effective-records.ts";

it("keeps the last entries of overlapping steps in a log without resume lines", () => {
  const record = (kind: string, step: number) => ({ kind, step });
  const records = [
    record("step", 1),
    record("evaluation", 1),
    record("step", 2),
    record("step", 2),
    record("step", 1),
  ];
  expect(effectiveRecords(records)).toEqual([record("step", 1)]);
  expect(effectiveRecords(records.slice(0, 4))).toEqual([
    record("step", 1),
    record("evaluation", 1),
    record("step", 2),
  ]);
});
