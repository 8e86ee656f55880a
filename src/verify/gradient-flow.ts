/**
 * Logits have no gradient from later positions. The gradient of the logits at t with respect to the input at s must be
 * exactly 0 for s > t. For s ≤ t it must be nonzero in at least one text, or the zeros would prove nothing.
 *
 * The input is that of the first block. Zeros are added to it, and their gradient is the gradient of the input.
 */

import { INFERENCE } from "../nn/inputs/forward-options.ts";
import { multiply } from "../ops/multiply.ts";
import { slice } from "../ops/slice.ts";
import { sum } from "../ops/sum.ts";
import { Random } from "../random.ts";
import { formatCount } from "../util/format.ts";
import { type CheckedModel, type CheckOptions, type CheckResult, Comparisons } from "./check.ts";
import { tokensOf } from "./logits.ts";
import { excerpt } from "./texts.ts";

const NAME = "gradients from the future";

export async function checkGradientFlow(model: CheckedModel, options: CheckOptions): Promise<CheckResult> {
  const { texts, show, seed } = options;
  const positions = texts[0].length;
  const comparisons = new Comparisons(options);
  for (let t = 0; t < positions; t++) {
    const reached = new Set<number>();
    for (const [row, text] of texts.entries()) {
      const greatest = await inputGradients(model, text, t, seed);
      greatest.forEach((gradient, s) => {
        if (gradient !== 0) reached.add(s);
        if (s <= t) return;
        comparisons.expect(
          gradient === 0,
          () =>
            `in ${excerpt(text, s, show)}, the logits at position ${t} depend on the input at position ${s}, after the bar: the gradient is ${gradient.toPrecision(4)} but must be 0`,
        );
      });
      options.onProgress?.((t * texts.length + row + 1) / (positions * texts.length));
    }
    for (let s = 0; s <= t; s++) {
      comparisons.expect(
        reached.has(s),
        () =>
          `the logits at position ${t} do not depend on the input at position ${s} in any of the texts: the gradient is 0 but must not be`,
      );
    }
  }
  const pairs = (texts.length * positions * (positions - 1)) / 2;
  return comparisons.result(NAME, `${formatCount(pairs)} pairs of positions, exactly 0`);
}

/** For each input position, returns the largest absolute gradient of a random weighted sum of the logits at t. */
export async function inputGradients(
  model: CheckedModel,
  text: readonly number[],
  t: number,
  seed: number,
): Promise<number[]> {
  const { context, config } = model;
  const { dModel, vocabSize } = config;
  const random = Random.of(seed, "cotangent", t);
  const cotangent = Float64Array.from({ length: vocabSize }, () => random.normal());
  const probe = context.parameter([1, text.length, dModel], new Float64Array(text.length * dModel));
  await context.scope("grad", () => {
    const logits = slice(model.forward(tokensOf([text]), { ...INFERENCE, inputProbe: probe }), 1, t, t + 1);
    context.backward(sum(multiply(logits, context.constant([vocabSize], cotangent))));
  });
  const gradient = await probe.grad();
  probe.free();
  return Array.from(text, (_, s) => greatestOf(gradient.subarray(s * dModel, (s + 1) * dModel)));
}

/** The largest absolute value, or NaN if there is one. */
function greatestOf(numbers: Float32Array | Float64Array): number {
  let greatest = 0;
  for (const value of numbers) greatest = Math.max(greatest, Math.abs(value));
  return greatest;
}
