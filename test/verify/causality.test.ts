/**
 * No peeking to the right, bit for bit: random models, sequences and batches, on each backend, with both forms of
 * attention, with and without a KV cache. (negative-controls.test.ts shows that these checks do find leaks.)
 */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { GPTConfig } from "../../src/nn/config.ts";
import { Random } from "../../src/random.ts";
import { checkBatch } from "../../src/verify/batch.ts";
import { checkCache } from "../../src/verify/cache.ts";
import { checkCausality } from "../../src/verify/causality.ts";
import type { CheckResult, Rows } from "../../src/verify/check.ts";
import { checkGradientFlow } from "../../src/verify/gradient-flow.ts";
import { checkPadding } from "../../src/verify/padding.ts";
import { randomChunks } from "../../src/verify/texts.ts";
import { backends } from "../support/backends.ts";
import { randomChoices, randomIds, tinyModel } from "../support/models.ts";
import { optionsFor } from "../support/verify.ts";

interface Case {
  readonly config: Partial<GPTConfig>;
  readonly rows: Rows;
  /** Sizes of the parts fed through a KV cache. */
  readonly chunks: readonly number[];
}

/** Returns the sizes of a random small model and a random batch for it. */
function randomCase(seed: number): Case {
  const random = Random.of(seed, "leakage");
  const pick = <T>(...choices: readonly T[]) => choices[random.below(choices.length)];
  const heads = pick(1, 2, 3, 5);
  const choices = randomChoices(random);
  // Rotary positions rotate pairs of channels.
  const widths = choices.positions === "rotary" ? [2, 4, 6] : [1, 3, 4, 7];
  const config: Partial<GPTConfig> = {
    heads,
    dModel: heads * pick(...widths),
    layers: pick(1, 2),
    contextLength: seed === 0 ? 59 : pick(7, 11, 13),
    vocabSize: pick(3, 5, 17),
    ...choices,
  };
  // A few short sequences and one long one, because SIMD kernels process sixteen numbers at a time plus a remainder.
  const positions = seed === 0 ? 53 : 2 + random.below(6);
  const rows = Array.from({ length: seed === 0 ? 3 : pick(1, 2, 3) }, (_, b) =>
    randomIds(positions, config.vocabSize ?? 1, seed, b),
  );
  return { config, rows, chunks: randomChunks(positions, random) };
}

const seeds = Array.from({ length: 8 }, (_, seed) => seed);

describe.each(backends)("on %s", (_, open) => {
  const modelOf = async ({ config }: Case, attention: GPTConfig["attention"], seed: number) =>
    tinyModel(new Context(await open()), { ...config, attention }, seed);

  const expectSound = (check: CheckResult, comparisons: number) => {
    expect(check.counterExamples).toEqual([]);
    expect([check.ok, check.failures, check.comparisons]).toEqual([true, 0, comparisons]);
  };

  describe.each(["textbook", "fused"] as const)("with %s attention", (attention) => {
    test("later tokens change no bit of earlier logits", async () => {
      for (const seed of seeds.slice(1)) {
        const each = randomCase(seed);
        const model = await modelOf(each, attention, seed);
        const [rows, positions] = [each.rows.length, each.rows[0].length];
        // Every position before each cut, and the first one after it.
        const comparisons = rows * ((positions * (positions - 1)) / 2 + positions - 1);
        const options = optionsFor(each.rows, { keep: 3 });
        expectSound(await checkCausality(model, options), comparisons);
        expectSound(await checkCausality(model, options, each.chunks), comparisons);
      }
    });

    test("rows of a batch are independent", async () => {
      for (const seed of seeds) {
        const each = randomCase(seed);
        const model = await modelOf(each, attention, seed);
        const [rows, positions] = [each.rows.length, each.rows[0].length];
        const options = optionsFor(each.rows, { keep: 3 });
        for (const chunks of [null, each.chunks]) {
          const check = await checkBatch(model, options, chunks);
          expectSound(check, rows === 1 ? 0 : 2 * rows * positions);
          expect(check.skipped === null).toBe(rows > 1);
        }
      }
    });

    test("the gradient is 0 exactly for later positions", async () => {
      for (const seed of seeds.slice(1)) {
        const each = randomCase(seed);
        const model = await modelOf(each, attention, seed);
        const positions = each.rows[0].length;
        expectSound(
          await checkGradientFlow(model, optionsFor(each.rows.slice(0, 1), { keep: 3 })),
          positions * positions,
        );
      }
    });

    test("cached logits are bit-identical to one pass, for any chunk sizes", async () => {
      for (const seed of seeds) {
        const each = randomCase(seed);
        const model = await modelOf(each, attention, seed);
        expectSound(await checkCache(model, optionsFor(each.rows, { keep: 3 })), 4 * each.rows.flat().length);
      }
    });

    test("padding on either side changes no bit", async () => {
      for (const seed of seeds) {
        const each = randomCase(seed);
        const model = await modelOf(each, attention, seed);
        const check = await checkPadding(model, optionsFor(each.rows, { keep: 3 }));
        expectSound(check, check.comparisons);
        expect(check.comparisons).toBeGreaterThan(2 * each.rows[0].length);
      }
    });
  });
});
