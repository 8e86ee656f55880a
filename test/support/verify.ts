/** Helpers for tests of the checks: options, and models with another mask. */
import type { GPT } from "../../src/nn/gpt.ts";
import { INFERENCE } from "../../src/nn/inputs/forward-options.ts";
import type { MaskMatrix } from "../../src/nn/layers/textbook-attention.ts";
import type { CheckedModel, CheckOptions, CheckResult, Rows } from "../../src/verify/check.ts";

/** Options that keep every counterexample and show tokens as numbers. */
export function optionsFor(texts: Rows, changes: Partial<CheckOptions> = {}): CheckOptions {
  return { texts, seed: 3, show: (ids) => ids.join(" "), keep: Number.POSITIVE_INFINITY, ...changes };
}

/** All counterexamples, one per line. */
export function complaints({ counterExamples }: CheckResult): string {
  return counterExamples.join("\n");
}

/** The model with another mask matrix. */
export function withMaskMatrix(model: GPT, maskMatrix: MaskMatrix): CheckedModel {
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

/** Whether all bits are equal. −0 and 0 differ. */
export function sameBits(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}
