import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  disjointWindows,
  stratifiedWindows,
  TextLoader,
  WindowLoader,
} from "../../src/data/window-loader.ts";
import { DataError } from "../../src/errors.ts";

/** Id i is 10·i, so a window's content identifies its offset. */
const corpus = (length: number) => Int32Array.from({ length }, (_, i) => 10 * i);

describe("WindowLoader", () => {
  const loader = new WindowLoader(corpus(31), { contextLength: 7, batchSize: 5, seed: 11 });

  it("returns contiguous windows, with the next token of each input as its target", () => {
    for (let step = 0; step < 20; step++) {
      const { inputs, targets, batchSize } = loader.batch(step);
      expect(batchSize).toBe(5);
      expect(inputs.length).toBe(35);
      for (let i = 0; i < 35; i++) {
        expect(targets[i]).toBe(inputs[i] + 10);
        if (i % 7 > 0) expect(inputs[i]).toBe(inputs[i - 1] + 10);
      }
    }
  });

  it("draws every offset about equally often, including the first and the last", () => {
    const counts = new Map<number, number>();
    for (let step = 0; step < 2400; step++) {
      const { inputs } = loader.batch(step);
      for (let row = 0; row < 5; row++) counts.set(inputs[row * 7], (counts.get(inputs[row * 7]) ?? 0) + 1);
    }
    // 12,000 draws from 24 offsets: 500 each, with a standard deviation of 22.
    expect(Array.from(counts.keys()).sort((a, b) => a - b)).toEqual(Array.from(corpus(24)));
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(110);
  });

  it("determines a batch from seed, step and micro step alone", () => {
    const again = new WindowLoader(corpus(31), { contextLength: 7, batchSize: 5, seed: 11 });
    again.batch(3);
    expect(again.batch(9, 2)).toEqual(loader.batch(9, 2));
    expect(loader.batch(9, 0)).toEqual(loader.batch(9));
    const others = [
      loader.batch(10, 2),
      loader.batch(9, 1),
      loader.batch(2, 9),
      new WindowLoader(corpus(31), { contextLength: 7, batchSize: 5, seed: 12 }).batch(9, 2),
    ];
    for (const other of others) expect(other).not.toEqual(loader.batch(9, 2));
  });

  it("reads compact integer arrays", () => {
    const compact = new WindowLoader(Uint16Array.from(corpus(31)), {
      contextLength: 7,
      batchSize: 5,
      seed: 11,
    });
    expect(compact.batch(4)).toEqual(loader.batch(4));
  });

  it("requires a window and one more id, and integer sizes", () => {
    const make = (length: number, contextLength: number, batchSize: number) => () =>
      new WindowLoader(corpus(length), { contextLength, batchSize, seed: 1 });
    expect(make(7, 7, 3)).toThrow(DataError);
    expect(make(7, 7, 3)).toThrow("contextLength 7 needs at least 8 tokens: got 7");
    expect(make(8, 7, 3)().batch(0).targets[6]).toBe(70);
    for (const size of [0, -1, 1.5, Number.NaN]) {
      expect(make(31, size, 3)).toThrow(`contextLength must be a whole number ≥ 1: got ${size}`);
      expect(make(31, 3, size)).toThrow(`batchSize must be a whole number ≥ 1: got ${size}`);
    }
  });
});

describe.each(["random", "epochs"] as const)("windows in %s order", (windows) => {
  const size = { contextLength: 7, batchSize: 5, seed: 11, windows };
  const batches = Array.from({ length: 400 }, (_, step) => step);

  it("have every token but the first as a target, and every token but the last as an input", () => {
    for (const length of [8, 14, 15, 20, 21, 22, 31]) {
      const loader = new WindowLoader(corpus(length), size);
      const [inputs, targets] = [new Set<number>(), new Set<number>()];
      for (const step of batches) {
        const batch = loader.batch(step);
        for (const id of batch.inputs) inputs.add(id);
        for (const id of batch.targets) targets.add(id);
      }
      const all = Array.from(corpus(length));
      expect([...inputs].sort((a, b) => a - b)).toEqual(all.slice(0, -1));
      expect([...targets].sort((a, b) => a - b)).toEqual(all.slice(1));
    }
  });

  it("have every token, without targets", () => {
    for (const length of [7, 13, 14, 20, 21, 22, 31]) {
      const loader = new TextLoader(corpus(length), size);
      const seen = new Set<number>();
      for (const step of batches) {
        const found = loader.windows(step);
        expect(found).toHaveLength(35);
        expect(found.every((id, i) => i % 7 === 0 || id === found[i - 1] + 10)).toBe(true);
        for (const id of found) seen.add(id);
      }
      expect([...seen].sort((a, b) => a - b)).toEqual(Array.from(corpus(length)));
    }
    expect(() => new TextLoader(corpus(6), size)).toThrow("contextLength 7 needs at least 7 tokens: got 6");
  });
});

describe("disjointWindows", () => {
  it("cuts a range into full batches, a smaller batch and a shorter window", () => {
    // 10 … 26 are predicted: five windows of 3 in batches of 2, then a window of 2.
    const batches = Array.from(disjointWindows(corpus(29), 10, 27, { contextLength: 3, batchSize: 2 }));
    expect(batches.map(({ batchSize, inputs }) => [batchSize, inputs.length / batchSize])).toEqual([
      [2, 3],
      [2, 3],
      [1, 3],
      [1, 2],
    ]);
    expect(Array.from(batches[0].inputs)).toEqual([90, 100, 110, 120, 130, 140]);
    expect(Array.from(batches[3].targets)).toEqual([250, 260]);
  });

  it("predicts every id of a range once, from the id before it", () => {
    const sizes = fc.tuple(
      fc.nat(60),
      fc.nat(60),
      fc.integer({ min: 1, max: 13 }),
      fc.integer({ min: 1, max: 5 }),
    );
    fc.assert(
      fc.property(sizes, ([a, b, contextLength, batchSize]) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const predicted: number[] = [];
        for (const batch of disjointWindows(corpus(60), start, end, { contextLength, batchSize })) {
          expect(batch.batchSize).toBeLessThanOrEqual(batchSize);
          expect(batch.inputs.length % batch.batchSize).toBe(0);
          expect(batch.inputs.length / batch.batchSize).toBeLessThanOrEqual(contextLength);
          batch.targets.forEach((target, i) => {
            expect(batch.inputs[i]).toBe(target - 10);
          });
          predicted.push(...batch.targets);
        }
        expect(predicted).toEqual(Array.from(corpus(60).slice(Math.max(start, 1), end)));
      }),
    );
  });

  it("yields nothing if there is nothing to predict", () => {
    const size = { contextLength: 3, batchSize: 2 };
    expect(Array.from(disjointWindows(corpus(5), 0, 0, size))).toEqual([]);
    expect(Array.from(disjointWindows(corpus(5), 0, 1, size))).toEqual([]);
    expect(Array.from(disjointWindows(corpus(5), 4, 4, size))).toEqual([]);
  });

  it("rejects a range outside the corpus", () => {
    for (const [start, end] of [
      [-1, 3],
      [4, 3],
      [0, 6],
      [0.5, 3],
    ]) {
      const windows = disjointWindows(corpus(5), start, end, { contextLength: 3, batchSize: 2 });
      expect(() => Array.from(windows)).toThrow(DataError);
    }
  });
});

describe("stratifiedWindows", () => {
  const size = { contextLength: 3, batchSize: 4 };
  const startsOf = (start: number, end: number, most: number) =>
    Array.from(stratifiedWindows(corpus(6000), start, end, size, most)).flatMap(
      ({ inputs, targets, batchSize }) => {
        expect(inputs.length).toBe(3 * batchSize);
        targets.forEach((target, i) => {
          expect(target).toBe(inputs[i] + 10);
        });
        return Array.from({ length: batchSize }, (_, row) => inputs[3 * row] / 10);
      },
    );

  it("are the disjoint windows if those fit the limit, or if there is no full window", () => {
    for (const [start, end, most] of [
      [0, 6000, 5999],
      [100, 200, 100],
      [100, 102, 1],
    ]) {
      const all = Array.from(disjointWindows(corpus(6000), start, end, size));
      expect(Array.from(stratifiedWindows(corpus(6000), start, end, size, most))).toEqual(all);
    }
  });

  it("sample one disjoint window from each stratum of a longer range, always the same ones", () => {
    const starts = startsOf(1000, 6000, 302);
    expect(starts).toHaveLength(100);
    expect(startsOf(1000, 6000, 302)).toEqual(starts);
    starts.forEach((start, i) => {
      expect((start - 999) % 3).toBe(0);
      // 1,666 full windows in 100 strata.
      const window = (start - 999) / 3;
      expect(window).toBeGreaterThanOrEqual(Math.floor(16.66 * i));
      expect(window).toBeLessThan(Math.floor(16.66 * (i + 1) + 1e-9));
    });
    // Drawn at random in each stratum, not always the first one.
    expect(new Set(starts.map((start, i) => (start - 999) / 3 - Math.floor(16.66 * i))).size).toBeGreaterThan(
      9,
    );
    expect(startsOf(1000, 6000, 1)).toHaveLength(1);
  });
});
