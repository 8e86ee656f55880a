import { expect, it } from "vitest";
import { PlottedLog } from "../../../../src/cli/commands/plot/plotted-log.ts";
import type { LogEntry } from "../../../../src/run/log.ts";

function plotted(entries: readonly LogEntry[]): PlottedLog {
  const log = new PlottedLog();
  for (const entry of entries) log.add(entry);
  return log;
}

const evaluation = (step: number, lossNats: unknown) => ({ kind: "evaluation", step, lossNats });
const sample = (step: number, text: string) => ({ kind: "sample", step, text });

it("ignores evaluations and samples out of order, and values that no run has", () => {
  const log = plotted([
    evaluation(5, 3),
    evaluation(4, 1),
    evaluation(6, 1e308),
    evaluation(7, "2"),
    evaluation(8, null),
    { kind: "step", step: 9, elapsedMs: -1, lossNats: 1, learningRate: 1, gradientNorm: 1 },
    { kind: "step", step: 9, elapsedMs: 8, lossNats: -1e308, learningRate: 1, gradientNorm: 1 },
    sample(3, "a"),
    sample(2, "b"),
  ]);
  expect(log.validation()).toEqual([[5, 0, 3]]);
  expect(log.train.points()).toEqual([]);
  expect(log.learningRate.points()).toEqual([[9, 0.008, 1]]);
  expect(log.samples()).toEqual([{ step: 3, text: "a" }]);
});

it("keeps a thousand samples at most, the latest among them", () => {
  const log = plotted(Array.from({ length: 12_345 }, (_, step) => sample(step, "x")));
  expect(log.samples().length).toBeLessThanOrEqual(1000);
  expect(log.samples().length).toBeGreaterThan(500);
  expect(log.samples().at(-1)?.step).toBe(12_344);
  expect(log.samples()[0].step).toBe(0);
});
