/**
 * The conformance suite of all backends: compares each kernel of the contract with the reference in double precision,
 * over random shapes, strides, offsets, edge sizes and special values.
 *
 * Seeds are fixed, and a failure names its seed, which reproduces the trial.
 */
import { afterAll, beforeAll, describe, it } from "vitest";
import type { Backend } from "../../src/backend/backend.ts";
import { Random } from "../../src/random.ts";
import { attentionCases } from "./conformance/attention.ts";
import { blockCases } from "./conformance/blocks.ts";
import { elementCases } from "./conformance/elements.ts";
import { normalizeCases } from "./conformance/normalize.ts";
import { productCases } from "./conformance/products.ts";
import { softmaxCases } from "./conformance/softmax.ts";
import { type Case, type Tolerance, Trial } from "./conformance/trial.ts";

export const cases: readonly Case[] = [
  ...elementCases,
  ...blockCases,
  ...softmaxCases,
  ...normalizeCases,
  ...productCases,
  ...attentionCases,
];

/** Achievable with plain single-precision arithmetic in the order of the contract. */
export const singlePrecision: Tolerance = { functions: 8, sums: 1, ordered: true };

const seeds = 60;

/** @param open opens a new backend, which the suite closes */
export function conformance(
  name: string,
  open: () => Promise<Backend>,
  tolerance: Tolerance = singlePrecision,
): void {
  describe(`${name} conforms`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await open();
    });
    afterAll(() => backend.close());
    for (const one of cases) {
      it(one.name, () => check(one, backend, tolerance));
    }
  });
}

/** @throws Error at the first seed whose trial fails */
export async function check(one: Case, backend: Backend, tolerance = singlePrecision): Promise<void> {
  for (let seed = 0; seed < seeds; seed++) {
    const trial = new Trial(backend, Random.of(seed, one.name), tolerance);
    try {
      await one.check(trial);
      await trial.finish();
    } catch (error) {
      throw new Error(`${one.name}, seed ${seed}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
}
