/** A sum and its norm in one: the same as the two ops, whatever else reads the sum. */
import { describe, expect, it } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import type { Tensor } from "../../../src/autograd/tensor.ts";
import { ShapeError, TensorError } from "../../../src/errors.ts";
import { add } from "../../../src/ops/add.ts";
import type { SumAndNorm } from "../../../src/ops/internal/normalize.ts";
import { addLayerNorm, layerNorm } from "../../../src/ops/layer-norm.ts";
import { multiply } from "../../../src/ops/multiply.ts";
import { addRmsNorm, rmsNorm } from "../../../src/ops/rms-norm.ts";
import { Random } from "../../../src/random.ts";
import { backends } from "../../support/backends.ts";
import { Block, sumOver } from "../../support/block.ts";
import { checkOp } from "../../support/check-op.ts";
import { doubleContext, inScope } from "../../support/contexts.ts";
import { backwardWithCotangent } from "../../support/gradient-check.ts";

type Fused = (a: Tensor, b: Tensor, weight: Tensor | null, bias: Tensor | null) => SumAndNorm;
interface Norm {
  readonly name: string;
  readonly fused: Fused;
  readonly composed: Fused;
  readonly centered: boolean;
}

const norms: readonly Norm[] = [
  {
    name: "addLayerNorm",
    fused: addLayerNorm,
    composed: (a, b, weight, bias) => {
      const sum = add(a, b);
      return { sum, normed: layerNorm(sum, weight, bias) };
    },
    centered: true,
  },
  {
    name: "addRmsNorm",
    fused: (a, b, weight) => addRmsNorm(a, b, weight),
    composed: (a, b, weight) => {
      const sum = add(a, b);
      return { sum, normed: rmsNorm(sum, weight) };
    },
    centered: false,
  },
];

/** As a block does: what reads the norm is added to the sum, so both have gradients. */
const both = ({ sum, normed }: SumAndNorm) => add(multiply(normed, normed), sum);

describe.each(norms)("$name", ({ fused, composed, centered }) => {
  it.each([[[5]], [[3, 5]], [[2, 3, 5]], [[0, 5]]])("is the textbook's for %j", async (shape) => {
    await checkOp({
      shapes: [shape, shape, [5], [5]],
      op: (a, b, weight, bias) => {
        const y = both(fused(a, b, weight, bias));
        // RMS norm has no bias; here it is added to the result, so that both take the same operands.
        return centered ? y : add(y, bias);
      },
      textbook: (a, b, weight, bias) =>
        Block.build(shape, (...index) => {
          const c = index[index.length - 1];
          const sum = (channel: number) =>
            a.at(...index.with(-1, channel)) + b.at(...index.with(-1, channel));
          const mean = centered ? sumOver(5, sum) / 5 : 0;
          const variance = sumOver(5, (channel) => (sum(channel) - mean) ** 2) / 5;
          const normed = ((sum(c) - mean) / Math.sqrt(variance + 1e-5)) * weight.at(c);
          return centered ? (normed + bias.at(c)) ** 2 + sum(c) : normed ** 2 + sum(c) + bias.at(c);
        }),
    });
  });

  it.each(backends)("equals the two ops to the bit on %s", async (_, open) => {
    for (const [weight, bias] of [
      [true, true],
      [false, true],
      [true, false],
      [false, false],
    ]) {
      expect(await run(open, weight, bias, fused)).toEqual(await run(open, weight, bias, composed));
    }
  });

  it("of a tensor and itself, and of what is not differentiated", async () => {
    const gradients = async (norm: Fused) => {
      const context = doubleContext();
      const [x, fixed] = [context.parameter([2, 3], [1, -2, 4, 0, 3, 5]), context.persistent([2, 3])];
      context.backend.write(fixed.buffer, [1, 1, 2, 3, 5, 8]);
      await backwardWithCotangent(context, () => both(norm(x, x, null, null)));
      const twice = await x.readGradient();
      x.storage.clearGradient();
      await backwardWithCotangent(context, () => both(norm(fixed, x, null, null)));
      return { twice, once: await x.readGradient(), fixed: fixed.gradient };
    };
    expect(await gradients(fused)).toEqual(await gradients(composed));
  });

  it("says what does not fit", async () => {
    await inScope("no-grad", (context) => {
      const [a, b, c] = [[2, 5], [5], [3]].map((shape) => context.persistent(shape));
      expect(() => fused(a, b, null, null)).toThrow(/adds two tensors of one shape: got \(2, 5\) and \(5\)/);
      expect(() => fused(a, a, c, null)).toThrow(ShapeError);
      expect(() => fused(a, doubleContext().persistent([2, 5]), null, null)).toThrow(TensorError);
    });
  });
});

/** Values of both results, then all gradients. */
async function run(open: (typeof backends)[number][1], hasWeight: boolean, hasBias: boolean, op: Fused) {
  const backend = await open();
  const context = new Context(backend);
  const random = Random.of(1, "add and normalize");
  const draw = (shape: number[]) =>
    context.parameter(
      shape,
      Float32Array.from({ length: shape.reduce((n, m) => n * m, 1) }, () => 3 * random.normal()),
    );
  const [a, b, weight, bias] = [draw([11, 13]), draw([11, 13]), draw([13]), draw([13])];
  const apply = () => op(a, b, hasWeight ? weight : null, hasBias ? bias : null);
  const values = await context.scope("no-grad", async () => {
    const { sum, normed } = apply();
    return [await sum.read(), await normed.read()];
  });
  await backwardWithCotangent(context, () => both(apply()));
  const gradients = await Promise.all([a, b, weight, bias].map((tensor) => tensor.readGradient()));
  await backend.close();
  return [...values, ...gradients];
}
