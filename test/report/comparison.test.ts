import { describe, expect, it } from "vitest";
import { Random } from "../../src/random.ts";
import {
  compareWithBase,
  mean,
  POWER,
  type SeedLosses,
  seedsToShow,
  spread,
} from "../../src/report/comparison.ts";

describe("mean and spread", () => {
  it("are the sample's mean and standard deviation", () => {
    expect(mean([1, 2, 4])).toBe(7 / 3);
    expect(spread([1, 2, 4])).toBeCloseTo(Math.sqrt(7 / 3), 12);
    expect(spread([3])).toBeNull();
  });
});

describe("a comparison", () => {
  it("is a paired t-test: an effect of the seed on both cancels", () => {
    // Differences −0.02, −0.03, −0.04: t = −0.03/(0.01/√3) = −5.196 with 2 degrees of freedom.
    const [found] = compareWithBase([2, 3, 4], [[1.98, 2.97, 3.96]]);
    expect(found.differenceNats).toBeCloseTo(-0.03, 12);
    expect(found.differenceSpreadNats).toBeCloseTo(0.01, 12);
    expect(found.p).toBeCloseTo(0.0351, 4);
    expect(found.verdict).toBe("better");
    expect(compareWithBase([1.98, 2.97, 3.96], [[2, 3, 4]])[0].verdict).toBe("worse");
    // The same losses in pairs of other seeds.
    expect(compareWithBase([2, 3, 4], [[3.96, 1.98, 2.97]])[0].verdict).toBe("no difference shown");
  });

  it("corrects for the number of variations, by Holm's steps", () => {
    const base = [0, 0, 0];
    const alone = compareWithBase(base, [[1.98, 2.97, 3.96]])[0].p ?? Number.NaN;
    const weak = [-1, 1, 1];
    const weakAlone = compareWithBase(base, [weak])[0].p ?? Number.NaN;
    const [strong, first, second] = compareWithBase(base, [[1.98, 2.97, 3.96], weak, weak]);
    expect(strong.p).toBeCloseTo(3 * alone, 12);
    expect(strong.verdict).toBe("no difference shown");
    expect(first.p).toBe(Math.min(1, 2 * weakAlone));
    expect(second.p).toBe(first.p);
    // A p-value is never below that of a stronger variation.
    const [better, worse] = compareWithBase(base, [
      [1.98, 2.97, 3.96],
      [1.97, 2.97, 3.97],
    ]);
    expect(worse.p).toBeGreaterThanOrEqual(better.p ?? Number.NaN);
  });

  it("is undecided for one seed, and has no difference if a run diverged", () => {
    const nothing = { differenceSpreadNats: null, p: null };
    expect(compareWithBase([2], [[1]])).toEqual([
      { ...nothing, differenceNats: -1, verdict: "inconclusive: one seed" },
    ]);
    const diverged = { ...nothing, differenceNats: null, verdict: "diverged" };
    expect(compareWithBase([2, 2], [[1, null]])).toEqual([diverged]);
    expect(compareWithBase([null, 2], [[1, 1]])).toEqual([diverged]);
    // What was not tested does not count in the correction.
    const [tested] = compareWithBase(
      [2, 3, 4],
      [
        [1.98, 2.97, 3.96],
        [null, null, 1],
      ],
    );
    expect(tested.p).toBeCloseTo(0.0351, 4);
  });

  it("of equal losses shows nothing, and of a constant difference everything", () => {
    expect(compareWithBase([2, 3], [[2, 3]])[0]).toMatchObject({ p: 1, verdict: "no difference shown" });
    expect(compareWithBase([2, 3], [[2.5, 3.5]])[0]).toMatchObject({ p: 0, verdict: "worse" });
  });
});

/**
 * Tables of a base and six variations. A seed shifts all losses of a table alike, as the draw of weights and windows
 * does, and variations differ in how much chance they add.
 */
function* tables(count: number, seeds: number, effect: number): Generator<[SeedLosses, SeedLosses[]]> {
  const random = Random.of(5, "tables", seeds);
  const noises = [0.002, 0.002, 0.004, 0.006, 0.01, 0.02];
  for (let table = 0; table < count; table++) {
    const shared = Array.from({ length: seeds }, () => 1.5 + 0.01 * random.normal());
    const runs = (noise: number, shift: number) =>
      shared.map((loss) => loss + shift + noise * random.normal());
    yield [runs(0.004, 0), noises.map((noise) => runs(noise, effect))];
  }
}

/** The share of tables in which `differs` finds a difference in any variation. */
function shareOfTables(
  count: number,
  seeds: number,
  differs: (base: SeedLosses, other: SeedLosses[]) => boolean,
) {
  let found = 0;
  for (const [base, variations] of tables(count, seeds, 0)) if (differs(base, variations)) found++;
  return found / count;
}

const anyVerdict = (base: SeedLosses, variations: SeedLosses[]) =>
  compareWithBase(base, variations).some(({ verdict }) => verdict === "better" || verdict === "worse");

describe("simulated tables of equal settings", () => {
  it.each([2, 3, 5, 8])("have a false verdict in at most 5 of 100, with %i seeds", (seeds) => {
    const count = 3000;
    const share = shareOfTables(count, seeds, anyVerdict);
    const standardError = Math.sqrt((0.05 * 0.95) / count);
    expect(share).toBeLessThan(0.05 + 3 * standardError);
    // The test is not blind: it uses most of what it may.
    expect(share).toBeGreaterThan(0.02);
  });

  it("would have many more without pairs and a correction", () => {
    const known = (losses: SeedLosses) => losses.flatMap((loss) => (loss === null ? [] : [loss]));
    const beyondSpread = (base: SeedLosses, variations: SeedLosses[]) =>
      variations.some((losses) => {
        const [a, b] = [known(base), known(losses)];
        return Math.abs(mean(a) - mean(b)) > Math.max(spread(a) ?? 0, spread(b) ?? 0);
      });
    const uncorrected = (base: SeedLosses, variations: SeedLosses[]) =>
      variations.some((losses) => anyVerdict(base, [losses]));
    expect(shareOfTables(1000, 3, beyondSpread)).toBeGreaterThan(0.1);
    expect(shareOfTables(1000, 3, uncorrected)).toBeGreaterThan(0.1);
  });
});

describe("seedsToShow", () => {
  it("needs more seeds for smaller differences, larger spreads and more comparisons", () => {
    // √n·2 ≥ t(0.05) + t(0.4): 2.776 + 0.941 = 3.717 for n = 5 against 4.472, 4.123 for n = 4 against 4.
    expect(seedsToShow(0.02, 0.01, 1)).toBe(5);
    expect(seedsToShow(0.01, 0.01, 1)).toBeGreaterThan(9);
    expect(seedsToShow(0.02, 0.01, 19)).toBeGreaterThan(5);
    expect(seedsToShow(0.02, 0, 19)).toBe(2);
    expect(seedsToShow(1e-6, 1, 1)).toBeNull();
  });

  it.each([
    [0.01, 0.004],
    [0.01, 0.01],
    [0.003, 0.01],
  ])("a difference of %f with a spread of %f shows in about 8 of 10 tables", (effect, deviation) => {
    const random = Random.of(6, "power", effect, deviation);
    for (const comparisons of [1, 6]) {
      const seeds = seedsToShow(effect, deviation, comparisons) ?? Number.NaN;
      const level = 0.05 / comparisons;
      let found = 0;
      for (let trial = 0; trial < 1000; trial++) {
        const base = Array.from({ length: seeds }, () => random.normal());
        const other = base.map((loss) => loss + effect + deviation * random.normal());
        const [{ p, differenceNats }] = compareWithBase(base, [other]);
        if (p !== null && p <= level && (differenceNats ?? 0) > 0) found++;
      }
      // A standard deviation of 0.013. The formula is an approximation, and n is rounded up.
      expect(found / 1000).toBeGreaterThan(POWER - 0.06);
      expect(found / 1000).toBeLessThan(0.95);
    }
  });
});
