/**
 * Checks an op: its values against the textbook, its gradients against finite differences, and its bookkeeping: what it
 * records, that it frees its buffers, and that gradients accumulate.
 */
import { expect } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import type { Random } from "../../src/random.ts";
import { Block } from "./block.ts";
import { countingBackend } from "./contexts.ts";
import { backwardWithCotangent, gradientError } from "./gradient-check.ts";

export interface OpCase {
  /** The shape of each operand. */
  readonly shapes: readonly (readonly number[])[];
  /** Draws each element of the operands. Default: standard normal. */
  readonly draw?: (random: Random) => number;
  readonly op: (...operands: Tensor[]) => Tensor;
  readonly textbook: (...operands: Block[]) => Block;
}

/** The maximum relative error of a gradient compared with finite differences. */
export const GRADIENT_TOLERANCE = 1e-6;

export async function checkOp({ shapes, draw, op, textbook }: OpCase): Promise<void> {
  const blocks = shapes.map((shape, i) => Block.random(shape, `operand ${i}`, draw));
  const { backend, memory } = countingBackend();
  const context = new Context(backend);
  const parameters = blocks.map(({ shape, values }) => context.parameter(shape, values));
  const constants = blocks.map(({ shape, values }) => {
    const constant = context.persistent(shape);
    backend.write(constant.buffer, values);
    return constant;
  });

  await checkValues(context, () => op(...constants), textbook(...blocks));
  await checkNothingIsRecorded(context, op, parameters, constants);
  expect(memory.live.size, "buffers left behind by forward").toBe(2 * blocks.length);

  const report = await gradientError(context, Object.fromEntries(parameters.entries()), () =>
    op(...parameters),
  );
  expect(report.worst, `gradient of operand ${report.where}`).toBeLessThan(GRADIENT_TOLERANCE);
  const gradients = await Promise.all(parameters.map((parameter) => parameter.grad()));

  // A second backward pass without clearing doubles every gradient.
  await backwardWithCotangent(context, () => op(...parameters));
  for (const [i, parameter] of parameters.entries()) {
    expectClose(
      await parameter.grad(),
      gradients[i].map((g) => 2 * g),
      1e-12,
      `operand ${i}, accumulated`,
    );
  }
  for (const [i, parameter] of parameters.entries()) {
    // A single parameter among constants gets the same gradient, and the constants get none.
    parameter.storage.clearGradient();
    await backwardWithCotangent(context, () => op(...constants.map((x, j) => (i === j ? parameter : x))));
    expectClose(await parameter.grad(), gradients[i], 1e-12, `operand ${i}, among constants`);
  }
  expect(
    constants.every((constant) => constant.gradient === null),
    "constants receive no gradient",
  ).toBe(true);
  expect(memory.live.size, "buffers left behind by backward").toBe(3 * blocks.length);
  context.close();
  expect(memory.live.size, "buffers left behind by the context").toBe(0);
}

/** Expects |a − b| ≤ tolerance·max(1, |b|) for every element, and no NaN. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = "value",
): void {
  expect(actual.length, `${what}: length`).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) {
    const [a, b] = [actual[i], expected[i]];
    const error = Object.is(a, b) ? 0 : Math.abs(a - b) / Math.max(1, Math.abs(b));
    expect(error, `${what} ${i}: got ${a}, want ${b}`).toBeLessThanOrEqual(tolerance);
  }
}

async function checkValues(context: Context, run: () => Tensor, expected: Block): Promise<void> {
  await context.scope("no-grad", async () => {
    const y = run();
    expect(y.shape).toEqual(expected.shape);
    expectClose(await y.read(), expected.values, 1e-12);
  });
}

async function checkNothingIsRecorded(
  context: Context,
  op: OpCase["op"],
  parameters: readonly Tensor[],
  constants: readonly Tensor[],
): Promise<void> {
  await context.scope("grad", () => {
    expect(op(...constants).needsGradient, "an op on constants needs no gradient").toBe(false);
    expect(op(...parameters).needsGradient, "an op on parameters needs one").toBe(true);
  });
  await context.scope("no-grad", () => {
    expect(op(...parameters).needsGradient, "nothing needs a gradient in a no-grad scope").toBe(false);
  });
}
