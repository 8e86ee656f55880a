import { describe, expect, it } from "vitest";
import { baselinesOf } from "../../src/evaluate/baselines.ts";
import { NgramModel } from "../../src/evaluate/ngram.ts";
import { Random } from "../../src/random.ts";

/** An even token is drawn from five, and the odd one above it follows. */
function pairedTokens(pairs: number, label: string): Int32Array {
  const random = Random.of(1, label);
  return Int32Array.from(
    Array.from({ length: pairs }, () => 2 * random.below(5)).flatMap((even) => [even, even + 1]),
  );
}

describe("baselinesOf", () => {
  it("measures frequencies and n-grams of a text whose losses are known", () => {
    const found = baselinesOf(pairedTokens(20_000, "train"), pairedTokens(3000, "validation"), 10);
    // Ten equally frequent tokens; every other one is certain.
    expect(found.frequencyNats).toBeCloseTo(Math.log(10), 2);
    expect(found.ngramNats).toBeCloseTo(Math.log(5) / 2, 1);
    expect(Math.abs(found.ngramNats - found.unseenTrainingNats)).toBeLessThan(0.01);
    expect(found.countedTokens).toBe(36_000);
  });

  it("finds a validation split harder than unseen training text if it is unlike it", () => {
    const random = Random.of(1, "noise");
    const noise = Int32Array.from({ length: 3000 }, () => random.below(10));
    const found = baselinesOf(pairedTokens(20_000, "train"), noise, 10);
    expect(found.ngramNats).toBeGreaterThan(2 * found.unseenTrainingNats);
  });

  it("measures what was not counted", () => {
    // Every block of 500 tokens repeats another token: a model that counted a block would know it.
    const train = Int32Array.from({ length: 10_000 }, (_, i) => Math.floor(i / 500));
    const { unseenTrainingNats } = baselinesOf(train, train.subarray(0, 500), 20);
    const blind = new NgramModel(1, 20);
    for (let block = 0; block < 20; block++)
      if (block % 10 !== 9) blind.add(train.subarray(500 * block, 500 * block + 500));
    expect(unseenTrainingNats).toBeCloseTo(blind.nats(train.subarray(4500, 5000)) / 500, 9);
  });

  it("samples a long text in blocks, from its beginning to its end", () => {
    // The second half has other tokens: a sample of the beginning would not know them.
    const train = Int32Array.from({ length: 1_200_000 }, (_, i) => (i % 2) + (i < 600_000 ? 0 : 2));
    const found = baselinesOf(train, train.subarray(1_190_000), 4);
    expect(found.countedTokens).toBe(450_000);
    expect(found.ngramNats).toBeLessThan(0.1);
  });

  it("compares a short text with itself", () => {
    const found = baselinesOf(Int32Array.of(0, 1, 0, 1), Int32Array.of(0, 1), 2);
    expect(found.unseenTrainingNats).toBe(found.ngramNats);
  });
});
