/**
 * Random expressions of many ops, in which any earlier value may be used again, against finite differences. What
 * single-op tests cannot see: gradients that meet, in every order, after every op.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { add } from "../../src/ops/add.ts";
import { concatenate } from "../../src/ops/concatenate.ts";
import { divide } from "../../src/ops/divide.ts";
import { gelu } from "../../src/ops/gelu.ts";
import { layerNorm } from "../../src/ops/layer-norm.ts";
import { linear } from "../../src/ops/linear.ts";
import { logSoftmax } from "../../src/ops/log-softmax.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { reshape } from "../../src/ops/reshape.ts";
import { scale } from "../../src/ops/scale.ts";
import { slice } from "../../src/ops/slice.ts";
import { softmax } from "../../src/ops/softmax.ts";
import { subtract } from "../../src/ops/subtract.ts";
import { mean } from "../../src/ops/sum.ts";
import { transpose } from "../../src/ops/transpose.ts";
import { exp, tanh } from "../../src/ops/unary.ts";
import { Block } from "../support/block.ts";
import { doubleContext } from "../support/contexts.ts";
import { gradientError } from "../support/gradient-check.ts";

/** Every value of an expression is 3 × 3, so that any op may follow any other. */
const SHAPE = [3, 3];

/** Each keeps its values of size about 1, so that ten of them in a row stay measurable. */
const steps: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
  add: (a, b) => scale(add(a, b), 0.5),
  subtract: (a, b) => scale(subtract(a, b), 0.5),
  multiply: (a, b) => multiply(tanh(a), tanh(b)),
  divide: (a, b) => divide(tanh(a), exp(tanh(b))),
  matmul: (a, b) => matmul(softmax(a), b),
  transposedProduct: (a, b) => scale(matmul(transpose(a), b), 1 / 3),
  linear: (a, b) => linear(softmax(b, "causal"), a, mean(b, 0), "out-in"),
  gelu: (a) => gelu(a),
  geluTanh: (a) => gelu(a, "tanh"),
  layerNorm: (a, b) => tanh(layerNorm(a, mean(b, 0), slice(reshape(b, [9]), 0, 2, 5), 0.1)),
  logSoftmax: (a) => scale(logSoftmax(a), 0.5),
  rows: (a, b) => concatenate([slice(a, 0, 1, 3), slice(b, 0, 0, 1)], 0),
  columns: (a, b) => concatenate([slice(a, -1, 2, 3), slice(b, -1, 0, 2)], -1),
  stretched: (a, b) => multiply(tanh(reshape(mean(a, 1), [3, 1])), tanh(mean(b, 0))),
  centered: (a, b) => subtract(a, mean(b)),
  view: (a, b) => add(reshape(reshape(a, [9, 1]), SHAPE), scale(b, 0.1)),
};

const anExpression = fc.array(fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.nat(), fc.nat()), {
  minLength: 1,
  maxLength: 10,
});

test("gradients of random expressions", { timeout: 30_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(anExpression, fc.nat(1000), async (expression, seed) => {
      const context = doubleContext();
      const [x, y] = ["x", "y"].map((name) =>
        context.parameter(SHAPE, Block.random(SHAPE, name + seed).values),
      );
      const f = () => {
        const values = [x, y];
        for (const [name, i, j] of expression) {
          values.push(steps[name](values[i % values.length], values[j % values.length]));
        }
        return values[values.length - 1];
      };
      const { worst, where } = await gradientError(context, { x, y }, f);
      expect(worst, where).toBeLessThan(1e-6);
    }),
    { numRuns: 150, seed: 20 },
  );
});
