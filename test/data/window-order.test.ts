import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EpochWindows, RandomWindows, shuffled } from "../../src/data/window-order.ts";
import { follows } from "../sample/chi-squared.ts";

/** The offsets of the windows of `steps` steps, in order. */
function startsOf(order: EpochWindows | RandomWindows, steps: number, gradAccumulation = 1): number[] {
  return Array.from({ length: steps }, (_, step) =>
    Array.from({ length: gradAccumulation }, (_, part) => order.starts(step, part)),
  ).flat(2);
}

describe("shuffled", () => {
  it("is a permutation", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.nat(0xffffffff), (count, key) => {
        const places = Array.from({ length: count }, (_, i) => shuffled(i, count, key));
        expect(places.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  it("maps each index to each position about equally often over keys", () => {
    const count = 7;
    const seen = Array.from({ length: count }, () => new Array<number>(count).fill(0));
    for (let key = 0; key < 7000; key++) {
      for (let i = 0; i < count; i++) seen[i][shuffled(i, count, Math.imul(key, 0x2545f491))]++;
    }
    // 1,000 each, with a standard deviation of 29.
    for (const times of seen.flat()) expect(Math.abs(times - 1000)).toBeLessThan(150);
  });

  it("does not keep neighbors together", () => {
    const count = 5003;
    const together = Array.from({ length: count - 1 }, (_, i) => i).filter(
      (i) => Math.abs(shuffled(i, count, 13) - shuffled(i + 1, count, 13)) < 50,
    );
    // By chance 2% of the pairs are within 50 of each other: 99, with a standard deviation of 10.
    expect(Math.abs(together.length - 99)).toBeLessThan(50);
  });
});

describe("EpochWindows", () => {
  /** The offsets of the windows of one epoch. */
  const epochOf = (order: EpochWindows, epoch: number) =>
    Array.from({ length: order.windows }, (_, i) => order.starts(epoch * order.windows + i, 0)[0]);
  const sizes = fc.tuple(fc.integer({ min: 1, max: 13 }), fc.nat(100), fc.integer());

  it("uses every input at most once per epoch, and leaves out fewer than two windows", () => {
    fc.assert(
      fc.property(sizes, ([contextLength, more, seed]) => {
        const inputs = contextLength + more;
        const order = new EpochWindows({ inputs, contextLength, batchSize: 1, gradAccumulation: 1 }, seed);
        for (const epoch of [0, 1]) {
          const met = new Array<number>(inputs).fill(0);
          for (const start of epochOf(order, epoch)) {
            for (let t = 0; t < contextLength; t++) met[start + t]++;
          }
          expect(met).toHaveLength(inputs);
          expect(Math.max(...met)).toBe(1);
          expect(met.filter((times) => times === 0).length).toBeLessThan(2 * contextLength);
        }
      }),
    );
  });

  it("starts at every offset at which the windows fit, so that every input is used in some epoch", () => {
    fc.assert(
      fc.property(sizes, ([contextLength, more, seed]) => {
        const inputs = contextLength + more;
        const order = new EpochWindows({ inputs, contextLength, batchSize: 1, gradAccumulation: 1 }, seed);
        const offsets = inputs - order.windows * contextLength + 1;
        // The probability that one of fewer than 26 offsets is missing is below 26·exp(−30).
        const seen = new Set<number>();
        for (let epoch = 0; epoch < 30 * offsets; epoch++) seen.add(Math.min(...epochOf(order, epoch)));
        expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: offsets }, (_, i) => i));
      }),
      { numRuns: 30 },
    );
  });

  it("starts at every offset equally often", () => {
    // Two windows of 5 in 17 inputs: offsets 0 … 7.
    const order = new EpochWindows({ inputs: 17, contextLength: 5, batchSize: 1, gradAccumulation: 1 }, 3);
    const counts = new Array<number>(8).fill(0);
    for (let epoch = 0; epoch < 4000; epoch++) counts[Math.min(...epochOf(order, epoch))]++;
    expect(
      follows(
        counts,
        counts.map(() => 1 / 8),
      ),
    ).toBe(true);
  });

  it("continues across steps, micro steps and rows, for any batch size", () => {
    const size = { inputs: 1008, contextLength: 7, batchSize: 6, gradAccumulation: 1 };
    const whole = startsOf(new EpochWindows(size, 5), 60);
    expect(startsOf(new EpochWindows({ ...size, batchSize: 3 }, 5), 120)).toEqual(whole);
    const inParts = new EpochWindows({ ...size, batchSize: 2, gradAccumulation: 3 }, 5);
    expect(startsOf(inParts, 60, 3)).toEqual(whole);
  });

  it("rejects more windows than it can shuffle", () => {
    const size = { contextLength: 1, batchSize: 1, gradAccumulation: 1 };
    const most = new EpochWindows({ ...size, inputs: 2 ** 30 }, 5);
    expect(most.starts(2 ** 30 - 1, 0)[0]).toBeLessThan(2 ** 30);
    expect(() => new EpochWindows({ ...size, inputs: 2 ** 30 + 1 }, 5)).toThrow("at most 1073741824 windows");
  });

  it("cuts and shuffles differently for each epoch and each seed", () => {
    const size = { inputs: 1008, contextLength: 7, batchSize: 1, gradAccumulation: 1 };
    const order = new EpochWindows(size, 5);
    const starts = startsOf(order, 40 * order.windows);
    const epochs = Array.from({ length: 40 }, (_, e) =>
      starts.slice(e * order.windows, (e + 1) * order.windows),
    );
    expect(new Set(epochs.map(([first]) => first)).size).toBeGreaterThan(30);
    // 1,008 inputs hold 143 windows of 7 with room for 8 offsets.
    expect(new Set(epochs.map((epoch) => Math.min(...epoch))).size).toBe(8);
    expect(startsOf(new EpochWindows(size, 6), order.windows)).not.toEqual(epochs[0]);
  });
});

describe("RandomWindows", () => {
  it("draws with replacement: a third of the offsets is missing after an epoch's worth of windows", () => {
    const inputs = 10_000;
    const order = new RandomWindows({ inputs, contextLength: 1, batchSize: 100, gradAccumulation: 1 }, 3);
    const places = new Set(startsOf(order, 100));
    expect(Math.abs(places.size / 10_000 - (1 - 1 / Math.E))).toBeLessThan(0.02);
  });
});
