/** Breaks of what is seen of runs: samples in the log, curves, pictures, pages. */
import type { Mutant } from "./list.ts";

export const plot: readonly Mutant[] = [
  {
    promise: "a sample is written by the weights that are kept",
    file: "src/cli/commands/train/samples.ts",
    line: "trainer.evaluating(() => kind.sample())",
    broken: "kind.sample()",
    tests: ["test/cli/commands/train/samples.test.ts"],
  },
  {
    promise: "samples have the same dice at each evaluation",
    file: "src/cli/commands/train/samples.ts",
    line: 'Random.of(seed, "sample while training")',
    broken: "Random.of(Number(process.hrtime.bigint() % 9999n))",
    tests: ["test/cli/commands/train/samples.test.ts"],
  },
  {
    promise: "of a log whose steps overlap, later lines win",
    file: "src/run/effective-records.ts",
    line: 'if (record.kind === "step")',
    broken: 'if (record.kind === "no step")',
    tests: ["test/run/effective-records.test.ts"],
  },
  {
    promise: "a smoothed point is the mean of the last steps and of no earlier one",
    file: "src/report/curves.ts",
    line: "if (i >= count)",
    broken: "if (i > count)",
    tests: ["test/report/curves.test.ts"],
  },
  {
    promise: "fewer points lose no spike",
    file: "src/report/curves.ts",
    line: "points[i][2] > points[high][2]",
    broken: "points[i][2] < points[high][2]",
    tests: ["test/report/curves.test.ts"],
  },
  {
    promise: "curves stand where their values are",
    file: "src/report/chart-svg.ts",
    line: "(point) => y(point.y),",
    broken: "(point) => y(point.y * 1.01),",
    tests: ["test/report/figure.test.ts"],
  },
  {
    promise: "the name of a run adds nothing to a picture but its words",
    file: "src/report/escape.ts",
    line: "/[&<>\"']/g",
    broken: "/[&>\"']/g",
    tests: ["test/report/escape.test.ts"],
  },
  {
    promise: "what a model wrote cannot end the script element that data stand in",
    file: "src/report/escape.ts",
    line: "/[<\\u2028\\u2029]/g",
    broken: "/[\\u2028\\u2029]/g",
    tests: ["test/report/escape.test.ts"],
  },
];
