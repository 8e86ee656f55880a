/** Mutants of samples in the log, curves, charts and pages. */
import type { Mutant } from "./list.ts";

export const plot: readonly Mutant[] = [
  {
    promise: "training samples use the weights that are saved",
    file: "src/cli/commands/train/samples.ts",
    line: "trainer.evaluating(() => kind.sample())",
    broken: "kind.sample()",
    tests: ["test/cli/commands/train/samples.test.ts"],
  },
  {
    promise: "training samples use the same seed at every evaluation",
    file: "src/cli/commands/train/samples.ts",
    line: "Random.of(settings.seed, purpose)",
    broken: "Random.of(Number(process.hrtime.bigint() % 9999n))",
    tests: ["test/cli/commands/train/samples.test.ts"],
  },
  {
    promise: "where steps of a log overlap, later records win",
    file: "src/run/log-reader.ts",
    line: 'if (entry.kind === "step")',
    broken: 'if (entry.kind === "no step")',
    tests: ["test/run/log-reader.test.ts"],
  },
  {
    promise: "a resume discards the later entries of every earlier part of the log",
    file: "src/run/log-reader.ts",
    line: "cuts[cuts.length - 1].step >= step",
    broken: "cuts[cuts.length - 1].step > step + 1",
    tests: ["test/run/log-reader.test.ts"],
  },
  {
    promise: "a smoothed point averages the last steps and no earlier ones",
    file: "src/report/curves.ts",
    line: "if (i >= count)",
    broken: "if (i > count)",
    tests: ["test/report/curves.test.ts"],
  },
  {
    promise: "a chart of a damaged log ends",
    file: "src/report/figure.ts",
    line: 'fits("linear", x) && fits("linear", y)',
    broken: "x >= y || x < y",
    tests: ["test/report/extent.test.ts"],
  },
  {
    promise: "reducing the number of points keeps every spike",
    file: "src/report/curves.ts",
    line: "heightOf(points[i]) > heightOf(points[high])",
    broken: "heightOf(points[i]) < heightOf(points[high])",
    tests: ["test/report/curves.test.ts"],
  },
  {
    promise: "curves are drawn at their values",
    file: "src/report/chart-svg.ts",
    line: "(point) => y(point.y),",
    broken: "(point) => y(point.y * 1.01),",
    tests: ["test/report/figure.test.ts"],
  },
  {
    promise: "a run's name cannot add markup to a chart",
    file: "src/report/escape.ts",
    line: "/[&<>\"']/g",
    broken: "/[&>\"']/g",
    tests: ["test/report/escape.test.ts"],
  },
  {
    promise: "model output cannot end the script element that holds the data",
    file: "src/report/escape.ts",
    line: "/[<\\u2028\\u2029]/g",
    broken: "/[\\u2028\\u2029]/g",
    tests: ["test/report/escape.test.ts"],
  },
];
