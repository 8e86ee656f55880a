/**
 * No peeking to the right, proved bit for bit: over random models, sequences and batches, on each backend, with
 * both forms of attention, with and without a cache. (leakage-teeth.test.ts shows that these checks do find leaks.)
 */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { GPTConfig } from "../../src/nn/config.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../support/backends.ts";
import {
  leaksBetweenRows,
  leaksFromTheFuture,
  leaksInTheGradient,
  logitsOf,
  type Rows,
  sameBits,
} from "../support/leakage.ts";
import { randomIds, tinyModel } from "../support/models.ts";

interface Case {
  readonly config: Partial<GPTConfig>;
  readonly rows: Rows;
  /** The positions cut into parts, as they go through a cache. */
  readonly chunks: readonly number[];
}

/** A random small model's sizes, and a random batch for it. */
function randomCase(seed: number): Case {
  const random = Random.of(seed, "leakage");
  const pick = <T>(...choices: readonly T[]) => choices[random.below(choices.length)];
  const heads = pick(1, 2, 3, 5);
  const config: Partial<GPTConfig> = {
    heads,
    dModel: heads * pick(1, 3, 4, 7),
    layers: pick(1, 2),
    contextLength: pick(7, 11, 13),
    vocabSize: pick(3, 5, 17),
    bias: pick(true, false),
    activation: pick("exact", "tanh"),
    tieHead: pick(true, false),
    bigram: pick(true, false),
  };
  const positions = 2 + random.below(6);
  const rows = Array.from({ length: pick(1, 2, 3) }, (_, b) =>
    randomIds(positions, config.vocabSize ?? 1, seed, b),
  );
  const chunks: number[] = [];
  for (let left = positions; left > 0; left -= chunks[chunks.length - 1]) chunks.push(1 + random.below(left));
  return { config, rows, chunks };
}

const seeds = Array.from({ length: 8 }, (_, seed) => seed);

describe.each(backends)("on %s", (_, open) => {
  const modelOf = async ({ config }: Case, attention: GPTConfig["attention"], seed: number) =>
    tinyModel(new Context(await open()), { ...config, attention }, seed);

  describe.each(["textbook", "fused"] as const)("with %s attention", (attention) => {
    test("later tokens change no bit of earlier logits", async () => {
      for (const seed of seeds) {
        const each = randomCase(seed);
        const model = await modelOf(each, attention, seed);
        expect(await leaksFromTheFuture(model, each.rows)).toEqual([]);
        expect(await leaksFromTheFuture(model, each.rows, { chunks: each.chunks })).toEqual([]);
      }
    });

    test("rows of a batch never touch each other", async () => {
      for (const seed of seeds) {
        const each = randomCase(seed);
        const model = await modelOf(each, attention, seed);
        expect(await leaksBetweenRows(model, each.rows)).toEqual([]);
        expect(await leaksBetweenRows(model, each.rows, { chunks: each.chunks })).toEqual([]);
      }
    });

    test("the gradient is exactly 0 to the right, and nowhere else", async () => {
      for (const seed of seeds) {
        const each = randomCase(seed);
        const model = await modelOf(each, attention, seed);
        expect(await leaksInTheGradient(model, each.rows[0])).toEqual([]);
      }
    });

    test("the cache gives the bits of the whole pass, however it is cut", async () => {
      for (const seed of seeds) {
        const each = randomCase(seed);
        const model = await modelOf(each, attention, seed);
        const whole = await logitsOf(model, each.rows);
        const cached = await logitsOf(model, each.rows, { chunks: each.chunks });
        whole.flat().forEach((logits, i) => {
          expect(sameBits(logits, cached.flat()[i]), `seed ${seed}, position ${i}`).toBe(true);
        });
      }
    });
  });
});
