import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EpochWindows, RandomWindows, shuffled } from "../../src/data/window-order.ts";

/** The places of `steps` steps, in their order. */
function startsOf(order: EpochWindows | RandomWindows, steps: number, gradAccumulation = 1): number[] {
  return Array.from({ length: steps }, (_, step) =>
    Array.from({ length: gradAccumulation }, (_, part) => order.starts(step, part)),
  ).flat(2);
}

describe("shuffled", () => {
  it("puts every index at a place of its own", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.nat(0xffffffff), (count, key) => {
        const places = Array.from({ length: count }, (_, i) => shuffled(i, count, key));
        expect(places.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  it("puts any index at any place, about equally often over keys", () => {
    const count = 7;
    const seen = Array.from({ length: count }, () => new Array<number>(count).fill(0));
    for (let key = 0; key < 7000; key++) {
      for (let i = 0; i < count; i++) seen[i][shuffled(i, count, Math.imul(key, 0x2545f491))]++;
    }
    // 1,000 each, with a standard deviation of 29.
    for (const times of seen.flat()) expect(Math.abs(times - 1000)).toBeLessThan(150);
  });

  it("leaves no trace of the old neighbors", () => {
    const count = 5003;
    const together = Array.from({ length: count - 1 }, (_, i) => i).filter(
      (i) => Math.abs(shuffled(i, count, 13) - shuffled(i + 1, count, 13)) < 50,
    );
    // Within 50 places of each other by chance: 2 % of them, 99 with a standard deviation of 10.
    expect(Math.abs(together.length - 99)).toBeLessThan(50);
  });
});

describe("EpochWindows", () => {
  it("meets every target once in an epoch, but for less than two windows at the ends", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 13 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer(),
        (contextLength, more, seed) => {
          const tokens = contextLength + more;
          const order = new EpochWindows({ tokens, contextLength, batchSize: 1, gradAccumulation: 1 }, seed);
          for (const epoch of [0, 1]) {
            const met = new Uint8Array(tokens);
            for (let i = 0; i < order.windows; i++) {
              const [start] = order.starts(epoch * order.windows + i, 0);
              expect(start).toBeGreaterThanOrEqual(0);
              for (let t = 1; t <= contextLength; t++) met[start + t]++;
            }
            // Target 0 has nothing before it.
            expect(Math.max(...met)).toBe(1);
            expect(met.length).toBe(tokens);
            expect(met.subarray(1).filter((times) => times === 0).length).toBeLessThan(2 * contextLength);
          }
        },
      ),
    );
  });

  it("goes on over steps, parts and rows, whatever the batches are cut like", () => {
    const size = { tokens: 1009, contextLength: 7, batchSize: 6, gradAccumulation: 1 };
    const whole = startsOf(new EpochWindows(size, 5), 60);
    expect(startsOf(new EpochWindows({ ...size, batchSize: 3 }, 5), 120)).toEqual(whole);
    const inParts = new EpochWindows({ ...size, batchSize: 2, gradAccumulation: 3 }, 5);
    expect(startsOf(inParts, 60, 3)).toEqual(whole);
  });

  it("says when there are more windows than it can shuffle", () => {
    const size = { contextLength: 1, batchSize: 1, gradAccumulation: 1 };
    const most = new EpochWindows({ ...size, tokens: 2 ** 30 + 1 }, 5);
    expect(most.starts(2 ** 30 - 1, 0)[0]).toBeLessThan(2 ** 30);
    expect(() => new EpochWindows({ ...size, tokens: 2 ** 30 + 2 }, 5)).toThrow("1073741824 windows at most");
  });

  it("cuts and shuffles each epoch and each seed in its own way", () => {
    const size = { tokens: 1009, contextLength: 7, batchSize: 1, gradAccumulation: 1 };
    const order = new EpochWindows(size, 5);
    const starts = startsOf(order, 40 * order.windows);
    const epochs = Array.from({ length: 40 }, (_, e) =>
      starts.slice(e * order.windows, (e + 1) * order.windows),
    );
    expect(new Set(epochs.map(([first]) => first)).size).toBeGreaterThan(30);
    expect(new Set(epochs.map((epoch) => Math.min(...epoch))).size).toBe(7);
    expect(startsOf(new EpochWindows(size, 6), order.windows)).not.toEqual(epochs[0]);
  });
});

describe("RandomWindows", () => {
  it("draws with replacement: in an epoch's worth of windows a third of the places does not come", () => {
    const tokens = 10_001;
    const order = new RandomWindows({ tokens, contextLength: 1, batchSize: 100, gradAccumulation: 1 }, 3);
    const places = new Set(startsOf(order, 100));
    expect(Math.abs(places.size / 10_000 - (1 - 1 / Math.E))).toBeLessThan(0.02);
  });
});
