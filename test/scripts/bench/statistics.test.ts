import { describe, expect, test } from "vitest";
import {
  best,
  growthExponent,
  median,
  sideBySide,
  turnsOf,
  typical,
} from "../../../scripts/bench/statistics.ts";

describe("median", () => {
  test.each([
    [[7], 7],
    [[11, 2, 5], 5],
    [[13, 3, 5, 7], 6],
    // Sorted numerically, not as text.
    [[9, 100, 20], 20],
  ])("of %j is %d", (numbers, middle) => {
    expect(median(numbers)).toBe(middle);
  });

  test("does not reorder its input, and rejects an empty list", () => {
    const numbers = [3, 1, 2];
    median(numbers);
    expect(numbers).toEqual([3, 1, 2]);
    expect(() => median([])).toThrow(RangeError);
  });
});

test("every round has the same weight regardless of its runs, and skipped rounds are ignored", () => {
  const rounds = [[1, 1, 1, 1, 1], null, [5], [7]];
  expect(typical(rounds)).toBe(5);
  expect(best(rounds)).toBe(1);
  expect(turnsOf(rounds)).toBe(3);
});

describe("side by side", () => {
  test("slow rounds do not change the ratio", () => {
    const ours = [[2, 2, 2], [20, 20, 20], [3]];
    const theirs = ours.map((times) => times.map((ms) => 5 * ms));
    expect(sideBySide(theirs, ours)).toBe(5);
    expect(sideBySide(ours, theirs)).toBe(1 / 5);
    // The ratio of the medians over all rounds would differ.
    const slowedOnlyTogether = sideBySide([[10], [100], null], [[2], [20], [1000]]);
    expect(slowedOnlyTogether).toBe(5);
  });

  test("uses only rounds that both ran", () => {
    expect(sideBySide([[3], null, [7]], [null, [5], [14]])).toBe(0.5);
    expect(sideBySide([[3], null], [null, [5]])).toBeNull();
  });
});

test.each([0.5, 1, 2, 3])("finds the exponent of x^%d", (power) => {
  const points = [3, 5, 11, 29].map((x) => [x, 7 * x ** power] as const);
  expect(growthExponent(points)).toBeCloseTo(power, 12);
});

test("the exponent is the least-squares slope of the logarithms", () => {
  // ln x = 0, 1, 2 and ln y = 0, 2, 1: slope ½.
  const points = [
    [1, 1],
    [Math.E, Math.E ** 2],
    [Math.E ** 2, Math.E],
  ] as const;
  expect(growthExponent(points)).toBeCloseTo(0.5, 12);
});
