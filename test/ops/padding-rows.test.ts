/**
 * Rows that receive no gradient, as those of padding, leave no trace in the gradients of weights: the bits are those
 * of the other rows alone, wherever the padding stands among them.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import type { Backend } from "../../src/backend/backend.ts";
import { embedding } from "../../src/ops/embedding.ts";
import { layerNorm } from "../../src/ops/layer-norm.ts";
import { linear } from "../../src/ops/linear.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { sum } from "../../src/ops/sum.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../support/backends.ts";

interface Layer {
  readonly name: string;
  /** Shapes of the weights, for rows of `inputs` numbers that become rows of `outputs`. */
  shapes(inputs: number, outputs: number): number[][];
  apply(x: Tensor, ids: readonly number[], weights: readonly Tensor[]): Tensor;
}

const layers: readonly Layer[] = [
  {
    name: "layerNorm",
    shapes: (inputs) => [[inputs], [inputs]],
    apply: (x, _, [weight, bias]) => layerNorm(x, weight, bias, 1e-5),
  },
  {
    name: "linear",
    shapes: (inputs, outputs) => [[inputs, outputs], [outputs]],
    apply: (x, _, [weight, bias]) => linear(x, weight, bias),
  },
  {
    name: "linear, stored out-in",
    shapes: (inputs, outputs) => [[outputs, inputs], [outputs]],
    apply: (x, _, [weight, bias]) => linear(x, weight, bias, "out-in"),
  },
  {
    name: "embedding",
    shapes: (_, outputs) => [[4, outputs]],
    apply: (_, ids, [table]) => embedding(table, ids, [ids.length]),
  },
];

describe.each(backends)("on %s", (_, open) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend.close());

  test.each(layers)("the weights of $name", async ({ shapes, apply }) => {
    const sizes = fc.record({
      rows: fc.integer({ min: 0, max: 40 }),
      inputs: fc.integer({ min: 1, max: 37 }),
      // With one output a bias has a single number, the sum of a contiguous run: SIMD adds that by lanes, and there
      // the place of a row shows in the last bit.
      outputs: fc.integer({ min: 2, max: 37 }),
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(1e6), async ({ rows, inputs, outputs }, seed) => {
        const random = Random.of(seed);
        const normals = (length: number) => Array.from({ length }, () => random.normal());
        const weights = shapes(inputs, outputs).map((shape) => normals(shape.reduce((a, b) => a * b)));
        const width = shapes(inputs, outputs).at(-1)?.at(-1) ?? 0;
        /** Own rows, and rows of padding (id 0) that the gradient does not reach. */
        const all = Array.from({ length: rows }, () => {
          const own = random.below(3) > 0;
          const cotangent = normals(width).map((c) => (own ? c : 0));
          return { own, x: normals(inputs), id: own ? random.below(4) : 0, cotangent };
        });
        const gradients = async (given: typeof all) => {
          const context = new Context(backend);
          const parameters = shapes(inputs, outputs).map((shape, i) => context.parameter(shape, weights[i]));
          await context.scope("grad", () => {
            const x = context.constant(
              [given.length, inputs],
              given.flatMap((row) => row.x),
            );
            const y = apply(
              x,
              given.map((row) => row.id),
              parameters,
            );
            const cotangent = context.constant(
              y.shape,
              given.flatMap((row) => row.cotangent),
            );
            context.backward(sum(multiply(y, cotangent)));
          });
          const found = await Promise.all(parameters.map((parameter) => parameter.grad()));
          context.close();
          return found;
        };
        expect(await gradients(all)).toEqual(await gradients(all.filter((row) => row.own)));
      }),
      { numRuns: 60 },
    );
  });
});
