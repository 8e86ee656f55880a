/** Synthetic runs for tests of charts and reports: curves with known values, and hostile names. */
import { smoothed } from "../../src/cli/commands/plot/read-run.ts";
import { GrowingCurve } from "../../src/report/growing-curve.ts";
import type { CurvePoint, PlottedRun } from "../../src/report/plotted-run.ts";

/** A text that tries to be interpreted by a page, an SVG or a terminal. */
export const HOSTILE = `</script><script>document.title="obeyed"</script><img src=x onerror="document.title='obeyed'">"'&<!--]]>\u001b[31m`;

export function exampleRun(changes: Partial<PlottedRun> = {}, steps = 97): PlottedRun {
  const curve = (first: number, of: (step: number) => number, every = 1): CurvePoint[] =>
    Array.from({ length: Math.floor(steps / every) }, (_, i) => {
      const step = first - 1 + (i + 1) * every;
      return [step, step * 0.25, of(step)];
    });
  const train = curve(1, (step) => 1 + 3 / step + (step % 2) * 0.1037);
  const run: PlottedRun = {
    name: "first",
    path: "checkpoints/first",
    model: "gpt",
    status: "finished",
    verdict: null,
    step: steps,
    steps,
    tokensPerStep: 512,
    parameters: 4192,
    bytes: 123_456,
    trainedMs: steps * 250,
    best: { step: 80, lossNats: 1.03, bitsPerByte: 1.47 },
    floorNats: 0.5,
    uniformNats: 4.2,
    corpus: "text.txt: 1,000 characters",
    corpusId: "abc",
    settings: { "--layers": "2", "--d-model": "64" },
    smoothing: 1,
    curves: {
      train,
      smoothed: train,
      estimates: [],
      validation: curve(1, (step) => 1.0503 + 3 / step, 20),
      learningRate: curve(1, (step) => 0.01 * (1 - step / (steps + 1))),
      gradientNorm: curve(1, (step) => 0.5 + 1 / step),
    },
    samples: [
      { step: 20, text: "On the mat the cat." },
      { step: 40, text: "One day the cat sat." },
    ],
    next: [
      {
        purpose: "sample from the model",
        command: 'npx nopeek sample --model checkpoints/first --prompt "…"',
      },
    ],
    ...changes,
  };
  return run;
}

/** A run with its noisy curves smoothed. */
export function smoothedOver(run: PlottedRun, steps: number): PlottedRun {
  const [train, gradientNorm] = [run.curves.train, run.curves.gradientNorm].map((points) => {
    const curve = new GrowingCurve();
    for (const point of points) curve.add(point);
    return curve;
  });
  return smoothed({ run, train, gradientNorm }, steps);
}

/** Two runs of different lengths, smoothed over 5 steps. */
export function exampleRuns(): PlottedRun[] {
  const second = {
    name: "second",
    path: "checkpoints/second",
    settings: { "--layers": "3", "--d-model": "64" },
  };
  return [exampleRun(), exampleRun(second, 61)].map((run) => smoothedOver(run, 5));
}

/** A run without steps. */
export function emptyRun(): PlottedRun {
  const none = { train: [], smoothed: [], validation: [], estimates: [], learningRate: [], gradientNorm: [] };
  return exampleRun({
    name: "empty",
    step: 0,
    status: "stopped",
    best: null,
    curves: none,
    samples: [],
    trainedMs: 0,
  });
}
