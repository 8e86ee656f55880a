/** For tests of the checks: options, and models whose attention adds another mask. */
import type { GPT } from "../../src/nn/gpt.ts";
import { INFERENCE } from "../../src/nn/inputs/forward-options.ts";
import type { MaskMatrix } from "../../src/nn/layers/textbook-attention.ts";
import type { CheckOptions, CheckResult, Rows, Subject } from "../../src/verify/check.ts";

/** Every counter-example is kept, and tokens are shown as numbers. */
export function optionsFor(texts: Rows, changes: Partial<CheckOptions> = {}): CheckOptions {
  return { texts, seed: 3, show: (ids) => ids.join(" "), keep: Number.POSITIVE_INFINITY, ...changes };
}

/** What spoke against a model, a line each. */
export function complaints({ counterExamples }: CheckResult): string {
  return counterExamples.join("\n");
}

/** The model with another mask than its own. */
export function withMaskMatrix(model: GPT, maskMatrix: MaskMatrix): Subject {
  const { context, config } = model;
  return {
    context,
    config,
    parameters: () => model.parameters(),
    forward: (tokens, pass = INFERENCE) => model.forward(tokens, { ...pass, maskMatrix }),
    decode: (tokens, cache) => model.forward(tokens, { cache, random: null, maskMatrix }),
    makeCache: (batchSize) => model.makeCache(batchSize),
  };
}

/** The same bits; −0 and 0 differ. */
export function sameBits(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}
