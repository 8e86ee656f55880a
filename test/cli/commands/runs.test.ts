import { describe, expect, it } from "vitest";
import { tableOf } from "../../../src/cli/commands/runs.ts";
import type { RunSummary } from "../../../src/run/summary.ts";

const run: RunSummary = {
  path: "checkpoints/tales-1",
  status: "stopped early",
  verdict: null,
  verdictText: null,
  step: 4200,
  steps: 5000,
  bestLossNats: 0.61658,
  bestBitsPerByte: 0.88954,
  bestStep: 4200,
  bytes: 7_340_000,
  trainedMs: 60_000,
};

describe("the table of runs", () => {
  it("has all columns if there is room or no terminal", () => {
    const table = [
      "run                  best loss  bits/byte  steps        trained    size    status",
      "checkpoints/tales-1  0.6166     0.8895     4,200/5,000  1 min 0 s  7.3 MB  stopped early",
    ];
    for (const columns of [undefined, 200, 88]) expect(tableOf([run], columns)).toEqual(table);
  });

  it("drops sizes, then times, if it would not fit, but never the name or status", () => {
    expect(tableOf([run], 87)[0]).toBe(
      "run                  best loss  bits/byte  steps        trained    status",
    );
    const narrow = [
      "run                  best loss  bits/byte  steps        status",
      "checkpoints/tales-1  0.6166     0.8895     4,200/5,000  stopped early",
    ];
    for (const columns of [71, 20]) expect(tableOf([run], columns)).toEqual(narrow);
  });

  it("has the verdict beside the status", () => {
    expect(tableOf([{ ...run, verdict: "overfitting" }], undefined)[1]).toMatch(
      /stopped early: overfitting$/,
    );
  });

  it("has a dash for an unknown value", () => {
    expect(tableOf([{ ...run, bestLossNats: null, bestBitsPerByte: null, trainedMs: 0 }], 80)[1]).toMatch(
      /^checkpoints\/tales-1 +– +– +4,200\/5,000 +– /,
    );
  });
});
