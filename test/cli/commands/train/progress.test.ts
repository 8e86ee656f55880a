/** The lines of a training run in a log. */
import { expect, test } from "vitest";
import { PlainProgress } from "../../../../src/cli/commands/train/progress.ts";

/** The steps that are printed of a run whose steps take this long. */
function printed(steps: number, every: number | null, stepMs: number) {
  let ms = 0;
  const lines: string[] = [];
  const progress = new PlainProgress({ note: (line = "") => lines.push(line) }, steps, every, () => ms);
  for (let step = 1; step <= steps; step++) {
    ms += stepMs;
    const leftMs = stepMs * (steps - step);
    const numbers = { lossNats: 1, learningRate: 1, gradientNorm: 1, skipped: false, tokensPerSecond: 1 };
    progress.stepped({ step, leftMs, ...numbers });
  }
  return { steps: lines.map((line) => Number(/^step (\d+)\//.exec(line)?.[1])), lines };
}

test("a log has a line for two percent of the steps", () => {
  expect(printed(500, null, 1).steps).toEqual(Array.from({ length: 50 }, (_, i) => 10 * (i + 1)));
  expect(printed(170, null, 1).steps).toEqual([...Array.from({ length: 42 }, (_, i) => 4 * (i + 1)), 170]);
  expect(printed(3, null, 1).steps).toEqual([1, 2, 3]);
});

test("or a line after ten seconds, counted from the last one", () => {
  expect(printed(500, null, 4000).steps.slice(0, 7)).toEqual([3, 6, 9, 10, 13, 16, 19]);
  expect(printed(100, null, 30_000).steps).toHaveLength(100);
});

test("or every few steps that were asked for, whatever the time", () => {
  expect(printed(500, 200, 30_000).steps).toEqual([200, 400, 500]);
});

test("a step shows the time that is left, and the last one that it is done", () => {
  const { lines } = printed(2, null, 1500);
  expect(lines).toEqual([
    "step 1/2  loss 1.0000  1 tokens/s  2 s left",
    "step 2/2  loss 1.0000  1 tokens/s  done",
  ]);
});
