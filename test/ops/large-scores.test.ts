/**
 * Gradients through a softmax keep their digits however large its scores are: softmax does not change if a number is
 * added to all scores of a row, so neither does the error. Compared with double precision. All scores here are exact in
 * single precision, so that the error is that of softmax alone.
 */
import { expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import type { Backend } from "../../src/backend/backend.ts";
import { openBackend } from "../../src/backend/open.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { textbookAttention } from "../../src/nn/layers/textbook-attention.ts";
import { attention } from "../../src/ops/attention.ts";
import { crossEntropy } from "../../src/ops/cross-entropy.ts";
import { logSoftmax } from "../../src/ops/log-softmax.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { softmax } from "../../src/ops/softmax.ts";
import { sum } from "../../src/ops/sum.ts";
import { Random } from "../../src/random.ts";
import { blasOptions, noBlas } from "../support/blas.ts";

const levels = [0, 1e2, 1e4, 1e6, 4e6, -1e6];
/** Roundings of exp and of sums over a row, relative to the largest gradient of a score (or of v, or of a logit). */
const bound = 2e-6;
const [rows, columns, width] = [13, 17, 4];

const opened: [name: string, open: () => Promise<Backend>][] = [
  ["reference", async () => new ReferenceBackend("single")],
  ["wasm", () => openBackend("wasm")],
  ["wasm on 3 threads", () => openBackend("wasm", 3)],
];
if (noBlas === null) opened.push(["blas", () => openBackend("blas", 1, blasOptions(1).libraries[0])]);

interface Trial {
  readonly shapes: readonly (readonly number[])[];
  readonly inputs: readonly (readonly number[])[];
  /** What the gradients of scores are multiplied with to give the gradient of each input; null for 1. */
  readonly factors: readonly (readonly number[] | null)[];
  /** Ends in a number. */
  readonly run: (...inputs: Tensor[]) => Tensor;
}

/** Integers, or other multiples of `step`, in −limit … limit. */
function multiples(random: Random, count: number, limit: number, step = 1): number[] {
  return Array.from({ length: count }, () => step * (random.below((2 * limit) / step + 1) - limit / step));
}

/** The scores are 1/√4·(2·level + x·t) with small x and t; `inKeys` puts the level into the keys. */
function attentionTrial(level: number, inKeys: boolean, form: "fused" | "textbook"): Trial {
  const random = Random.of(7, "large scores");
  const [x, t] = [multiples(random, rows, 3), multiples(random, columns, 2, 0.5)];
  const zeros = Array.from({ length: width - 2 }, () => 0);
  const [ofQuery, ofKey] = inKeys ? [2, level] : [level, 2];
  const q = x.flatMap((value) => [ofQuery, value, ...zeros]);
  const k = t.flatMap((value) => [ofKey, value, ...zeros]);
  const [v, dy] = [columns, rows].map((count) => multiples(random, count * width, 4, 0.25));
  const options = { heads: 1, mask: "full", dropout: 0, random: null } as const;
  return {
    shapes: [[rows], [columns], [columns]].map(([count]) => [1, count, width]),
    inputs: [q, k, v],
    factors: [k, q, null],
    run(query, keys, values) {
      const y =
        form === "fused"
          ? attention(query, keys, values, options)
          : textbookAttention(query, { keys, values, count: columns }, options);
      return sum(multiply(y, query.context.constant(y.shape, dy)));
    },
  };
}

/** Logits level + multiples of ¼. */
function rowTrial(level: number, f: (x: Tensor) => Tensor): Trial {
  const random = Random.of(8, "large scores");
  const x = multiples(random, rows * columns, 3, 0.25).map((value) => level + value);
  const dy = multiples(random, rows * columns, 4, 0.25);
  return {
    shapes: [[rows, columns]],
    inputs: [x],
    factors: [null],
    run(logits) {
      const y = f(logits);
      return y.shape.length === 0 ? y : sum(multiply(y, logits.context.constant(y.shape, dy)));
    },
  };
}

const targets = Array.from({ length: rows }, (_, row) => (row === 4 ? -1 : (5 * row) % columns));
const trials: [name: string, of: (level: number) => Trial][] = [
  ["fused attention, large queries", (level) => attentionTrial(level, false, "fused")],
  ["fused attention, large keys", (level) => attentionTrial(level, true, "fused")],
  ["textbook attention, large queries", (level) => attentionTrial(level, false, "textbook")],
  ["textbook attention, large keys", (level) => attentionTrial(level, true, "textbook")],
  ["cross-entropy", (level) => rowTrial(level, (x) => crossEntropy(x, targets))],
  ["softmax", (level) => rowTrial(level, (x) => softmax(x))],
  ["log-softmax", (level) => rowTrial(level, logSoftmax)],
];

/** The loss and the gradient of every input. */
async function results(backend: Backend, { shapes, inputs, run }: Trial): Promise<number[][]> {
  const context = new Context(backend);
  const parameters = inputs.map((values, i) => context.parameter(shapes[i], values));
  const loss = await context.scope("grad", () => {
    const y = run(...parameters);
    y.backward();
    return y.read();
  });
  const gradients = await Promise.all(parameters.map((parameter) => parameter.grad()));
  context.close();
  return [loss, ...gradients].map((numbers) => Array.from(numbers));
}

/** The largest distance from the truth, where a column is as large as its factors. */
function worst(
  actual: readonly number[],
  truth: readonly number[],
  factors: readonly number[] | null,
): number {
  const perRow = factors === null ? 1 : width;
  const sizes = Array.from({ length: perRow }, (_, column) =>
    Math.max(...(factors ?? [1]).filter((_, i) => i % perRow === column).map(Math.abs)),
  );
  /** In units of the column's factors. A column of zeros has gradient 0. */
  const inUnits = (value: number, i: number) => (value === 0 ? 0 : Math.abs(value) / sizes[i % perRow]);
  const largest = Math.max(...truth.map(inUnits));
  return Math.max(...actual.map((value, i) => inUnits(value - truth[i], i))) / largest;
}

test.each(opened)("%s", async (_, open) => {
  const backend = await open();
  const errors: string[] = [];
  for (const [name, of] of trials) {
    for (const level of levels) {
      const trial = of(level);
      const truth = await results(new ReferenceBackend("double"), trial);
      const actual = await results(backend, trial);
      for (const [i, numbers] of actual.entries()) {
        const error = worst(numbers, truth[i], i === 0 ? null : trial.factors[i - 1]);
        if (!(error < bound)) errors.push(`${name} at ${level}, result ${i}: ${error.toExponential(1)}`);
      }
    }
  }
  expect(errors).toEqual([]);
  await backend.close();
});
