import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Candidates, candidatesOf, probabilitiesOf } from "../../src/sample/candidates.ts";
import { type Filter, keepMinP, keepTopK, keepTopP, temper } from "../../src/sample/filters.ts";

const ids = (candidates: Candidates) => [...candidates.ids];
const logitsOf = (...probabilities: number[]) => probabilities.map((p) => Math.log(p));

describe("temper", () => {
  test("divides logits, up to a constant", () => {
    const { logits } = temper(0.5)(candidatesOf([3, -1, 2]));
    expect([...logits].map((logit) => logit - logits[1])).toEqual([8, 0, 6]);
  });

  test("does not change probabilities at 1", () => {
    const candidates = candidatesOf([0.3, -1.7, 2.9, 1e3]);
    expect(probabilitiesOf(temper(1)(candidates))).toEqual(probabilitiesOf(candidates));
  });

  test("approaches greedy near 0 and uniform for large temperatures", () => {
    const candidates = candidatesOf([1, 3, 2, 3]);
    expect([...probabilitiesOf(temper(Number.MIN_VALUE)(candidates))]).toEqual([0, 0.5, 0, 0.5]);
    expect([...probabilitiesOf(temper(Number.MAX_VALUE)(candidates))]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});

describe("keepTopK", () => {
  const candidates = candidatesOf([2, 5, 1, 5, 2, 2, 3]);
  test.each([
    [1, [1]],
    [2, [1, 3]],
    [3, [1, 3, 6]],
    [4, [0, 1, 3, 6]],
    [5, [0, 1, 3, 4, 6]],
    [6, [0, 1, 3, 4, 5, 6]],
    [7, [0, 1, 2, 3, 4, 5, 6]],
    [8, [0, 1, 2, 3, 4, 5, 6]],
    [1e9, [0, 1, 2, 3, 4, 5, 6]],
  ])("keeps the %i best, with the lowest ids in a tie", (k, expected) => {
    expect(ids(keepTopK(k)(candidates))).toEqual(expected);
  });

  test("agrees with a full sort for a large vocabulary", () => {
    const logits = Float32Array.from({ length: 100_003 }, (_, id) => ((id * 7919) % 1009) / 17);
    const sorted = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
    const expected = sorted.slice(0, 541).sort((a, b) => a - b);
    expect(ids(keepTopK(541)(candidatesOf(logits)))).toEqual(expected);
  });
});

describe("keepTopP", () => {
  // Sums of powers of two are exact, so a threshold can be hit or missed exactly.
  const candidates = candidatesOf(logitsOf(1 / 8, 1 / 2, 1 / 8, 1 / 4));
  test.each([
    [Number.MIN_VALUE, [1]],
    [0.499, [1]],
    [0.501, [1, 3]],
    [0.749, [1, 3]],
    [0.751, [0, 1, 3]],
    [0.874, [0, 1, 3]],
    [0.876, [0, 1, 2, 3]],
    [1, [0, 1, 2, 3]],
  ])("reaches %f with as few as possible, with the lowest ids in a tie", (p, expected) => {
    expect(ids(keepTopP(p)(candidates))).toEqual(expected);
  });

  test("accepts a set that reaches p exactly", () => {
    const equal = candidatesOf([0, 0, 0, 0]);
    expect(ids(keepTopP(0.5)(equal))).toEqual([0, 1]);
    expect(ids(keepTopP(0.75)(equal))).toEqual([0, 1, 2]);
  });

  test("keeps eight of ten equal tokens for 0.8, although the sum of their probabilities is below it", () => {
    expect(0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1).toBeLessThan(0.8);
    for (const count of [10, 100, 1000]) {
      const equal = candidatesOf(new Float32Array(count));
      for (let tenths = 1; tenths < 10; tenths++) {
        expect(keepTopP(tenths / 10)(equal).ids, `${tenths / 10} of ${count}`).toHaveLength(
          (tenths * count) / 10,
        );
      }
    }
  });

  test("agrees with exact arithmetic at, just below and just above every sum, ties included", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(weights, (whole) => {
        const total = whole.reduce((sum, weight) => sum + weight, 0);
        // The logits of a model: float32, and shifted by a constant.
        const candidates = candidatesOf(Float32Array.from(whole, (weight) => Math.log(weight) - 3));
        const order = Array.from(whole.keys()).sort((a, b) => whole[b] - whole[a] || a - b);
        for (let reached = 1; reached < total; reached++) {
          /** The fewest best candidates with weights of at least `needed` in total, in whole numbers. */
          const fewest = (needed: number) => {
            let sum = 0;
            const kept: number[] = [];
            for (const id of order) {
              if (sum >= needed) break;
              kept.push(id);
              sum += whole[id];
            }
            return kept.sort((a, b) => a - b);
          };
          const p = reached / total;
          expect(ids(keepTopP(p)(candidates))).toEqual(fewest(reached));
          expect(ids(keepTopP(p - 1e-5)(candidates))).toEqual(fewest(reached - 1e-5 * total));
          expect(ids(keepTopP(p + 1e-5)(candidates))).toEqual(fewest(reached + 1e-5 * total));
        }
      }),
      { numRuns: 20 },
    );
  });

  test("keeps even improbable tokens at 1", () => {
    expect(ids(keepTopP(1)(candidatesOf([0, -40, -800])))).toEqual([0, 1, 2]);
  });

  test("sees probabilities renormalized after an earlier filter", () => {
    // Of 0.4, 0.2, 0.2, 0.2 the first two are 2/3 and 1/3 after top-k, and the first alone reaches 0.6.
    const all = candidatesOf(logitsOf(0.4, 0.2, 0.2, 0.2));
    expect(ids(keepTopP(0.6)(keepTopK(2)(all)))).toEqual([0]);
    expect(ids(keepTopK(2)(keepTopP(0.6)(all)))).toEqual([0, 1]);
  });
});

describe("keepMinP", () => {
  const candidates = candidatesOf(logitsOf(1 / 8, 1 / 2, 1 / 8, 1 / 4));
  test.each([
    [0, [0, 1, 2, 3]],
    [0.249, [0, 1, 2, 3]],
    [0.251, [1, 3]],
    [0.499, [1, 3]],
    [0.501, [1]],
    [1, [1]],
  ])("keeps tokens at least %f times as probable as the best", (share, expected) => {
    expect(ids(keepMinP(share)(candidates))).toEqual(expected);
  });

  test("keeps all ties for the best at 1, and tokens exactly at the threshold", () => {
    expect(ids(keepMinP(1)(candidatesOf([3, 1, 3])))).toEqual([0, 2]);
    const edge = Math.exp(-1);
    expect(ids(keepMinP(edge - 1e-15)(candidatesOf([5, 4, 3])))).toEqual([0, 1]);
    expect(ids(keepMinP(edge + 1e-15)(candidatesOf([5, 4, 3])))).toEqual([0]);
  });

  test("keeps even improbable tokens at 0", () => {
    expect(ids(keepMinP(0)(candidatesOf([0, -40, -800])))).toEqual([0, 1, 2]);
  });

  test("does not depend on tokens that an earlier filter dropped", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 2, maxLength: 19 }), (tenths) => {
        const all = candidatesOf(tenths.map((n) => n / 10));
        const few = keepTopK(2)(all);
        const kept = ids(keepMinP(0.3)(all));
        expect(ids(keepMinP(0.3)(few))).toEqual(ids(few).filter((id) => kept.includes(id)));
      }),
    );
  });
});

test("top-k and min-p are idempotent; top-p is not, because probabilities are renormalized", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 19 }),
      fc.integer({ min: 1, max: 20 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (tenths, k, share) => {
        const candidates = candidatesOf(tenths.map((n) => n / 10));
        for (const filter of [keepTopK(k), keepMinP(share)]) {
          expect(filter(filter(candidates))).toEqual(filter(candidates));
        }
      },
    ),
  );
  const candidates = candidatesOf(logitsOf(0.4, 0.3, 0.2, 0.1));
  expect(ids(keepTopP(0.65)(candidates))).toEqual([0, 1]);
  expect(ids(keepTopP(0.55)(keepTopP(0.65)(candidates)))).toEqual([0]);
});

describe("every filter", () => {
  const anyFilter: fc.Arbitrary<Filter> = fc.oneof(
    fc.double({ min: 0.05, max: 20, noNaN: true }).map(temper),
    fc.integer({ min: 1, max: 37 }).map(keepTopK),
    fc.double({ min: 0, minExcluded: true, max: 1, noNaN: true }).map(keepTopP),
    fc.double({ min: 0, max: 1, noNaN: true }).map(keepMinP),
  );
  const anyChain = fc.array(anyFilter, { minLength: 1, maxLength: 3 }).map(
    (chain): Filter =>
      (candidates) =>
        chain.reduce((left, filter) => filter(left), candidates),
  );
  // Few distinct values make ties common, and multiples of 1/8 can be shifted without rounding.
  const anyLogits = fc.array(
    fc.oneof(
      fc.integer({ min: -64, max: 64 }).map((n) => n / 8),
      fc.constant(Number.NEGATIVE_INFINITY),
    ),
    { minLength: 1, maxLength: 31 },
  );
  const cases = fc.tuple(
    anyLogits.filter((logits) => logits.some(Number.isFinite)),
    anyChain,
  );

  test("keeps the best token, in ascending order, with probabilities that sum to 1", () => {
    fc.assert(
      fc.property(cases, ([logits, filter]) => {
        const left = filter(candidatesOf(logits));
        expect(ids(left)).toContain(logits.indexOf(Math.max(...logits)));
        expect(ids(left)).toEqual([...new Set(ids(left))].sort((a, b) => a - b));
        expect(ids(left).every((id) => Number.isFinite(logits[id]))).toBe(true);
        expect(left.logits.length).toBe(left.ids.length);
        const sum = probabilitiesOf(left).reduce((total, p) => total + p, 0);
        expect(Math.abs(sum - 1)).toBeLessThan(1e-14);
      }),
    );
  });

  test("never keeps a token while dropping a better one", () => {
    fc.assert(
      fc.property(cases, ([logits, filter]) => {
        const kept = new Set(ids(filter(candidatesOf(logits))));
        const worstKept = Math.min(...[...kept].map((id) => logits[id]));
        for (const [id, logit] of logits.entries()) {
          if (!kept.has(id)) expect(logit).toBeLessThanOrEqual(worstKept);
        }
      }),
    );
  });

  test("is invariant to a constant added to all logits", () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: -1000, max: 1000 }), ([logits, filter], constant) => {
        const plain = filter(candidatesOf(logits));
        const shifted = filter(candidatesOf(logits.map((logit) => logit + constant)));
        expect(shifted.ids).toEqual(plain.ids);
        expect(probabilitiesOf(shifted)).toEqual(probabilitiesOf(plain));
      }),
    );
  });

  test("does not change its input", () => {
    fc.assert(
      fc.property(cases, ([logits, filter]) => {
        const candidates = candidatesOf(logits);
        filter(candidates);
        expect(candidates).toEqual(candidatesOf(logits));
      }),
    );
  });
});
