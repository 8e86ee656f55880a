import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { sum } from "../../src/ops/sum.ts";
import { AdamW, gradientNorm } from "../../src/optim/adamw.ts";

const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.3 };

/** Sets the gradient of `parameter`. */
async function setGradient(parameter: Tensor, values: readonly number[]): Promise<void> {
  const { context } = parameter;
  await context.scope("grad", () => {
    context.backward(sum(multiply(parameter, context.constant(parameter.shape, values))));
  });
}

/** AdamW for one number, as in algorithm 2 of Loshchilov & Hutter 2019. */
function textbookAdamW(start: number, gradients: readonly number[], rate: number, decay: number): number {
  let [theta, m, v] = [start, 0, 0];
  gradients.forEach((g, i) => {
    const t = i + 1;
    m = settings.beta1 * m + (1 - settings.beta1) * g;
    v = settings.beta2 * v + (1 - settings.beta2) * g ** 2;
    const mHat = m / (1 - settings.beta1 ** t);
    const vHat = v / (1 - settings.beta2 ** t);
    theta -= rate * (mHat / (Math.sqrt(vHat) + settings.epsilon) + decay * theta);
  });
  return theta;
}

describe("AdamW", () => {
  it("follows the textbook for several steps, with decay on matrices but not on vectors", async () => {
    const context = new Context(new ReferenceBackend("double"));
    const matrix = context.parameter([1, 3], [0.5, -1.25, 2]);
    const vector = context.parameter([3], [0.5, -1.25, 2]);
    const optimizer = new AdamW({ matrix, vector }, settings);
    const gradients = [
      [1, -2, 0.5],
      [0.25, 3, -0.125],
      [-1, 0, 2],
    ];
    for (const [i, gradient] of gradients.entries()) {
      await setGradient(matrix, gradient);
      await setGradient(vector, gradient);
      optimizer.step(i + 1, 0.01, 0.5);
    }
    const expected = (decay: number) =>
      [0.5, -1.25, 2].map((start, j) =>
        textbookAdamW(
          start,
          gradients.map((g) => 0.5 * g[j]),
          0.01,
          decay,
        ),
      );
    for (const [tensor, decay] of [
      [matrix, settings.weightDecay],
      [vector, 0],
    ] as const) {
      const got = await tensor.read();
      expected(decay).forEach((value, j) => {
        expect(got[j]).toBeCloseTo(value, 12);
      });
    }
  });

  it("clears gradients, and does not change parameters without a gradient", async () => {
    const context = new Context(new ReferenceBackend("double"));
    const used = context.parameter([2], [1, 2]);
    const unused = context.parameter([2], [3, 4]);
    const optimizer = new AdamW({ used, unused }, settings);
    await setGradient(used, [1, 1]);
    optimizer.step(1, 0.1, 1);
    expect(used.gradient).toBeNull();
    expect(Array.from(await unused.read())).toEqual([3, 4]);
    expect(Array.from(await used.read())).not.toEqual([1, 2]);
  });

  it("gradientNorm covers all gradients", async () => {
    const context = new Context(new ReferenceBackend("double"));
    const a = context.parameter([2], [0, 0]);
    const b = context.parameter([1, 2], [0, 0]);
    await setGradient(a, [1, 2]);
    await setGradient(b, [2, 4]);
    expect(await gradientNorm({ a, b })).toBe(5);
  });
});
