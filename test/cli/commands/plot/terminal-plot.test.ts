import { expect, it } from "vitest";
import { comparisonLines } from "../../../../src/cli/commands/plot/terminal-plot.ts";
import { emptyRun } from "../../../report/example-runs.ts";

it.each([
  ["running", "no step yet"],
  ["imported", "imported: no training to plot"],
])("a run without steps that is %s: %s", (status, line) => {
  const size = { columns: 80, rows: 24, color: false, ascii: true };
  const [first] = comparisonLines([{ ...emptyRun(), status }], { ...size, x: "steps", yScale: "linear" });
  expect(first).toBe(line);
});
