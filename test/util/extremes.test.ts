import { expect, test } from "vitest";
import { largestOf, smallestOf } from "../../src/util/extremes.ts";

test("the extremes of more values than a call takes arguments", () => {
  const many = Float64Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 300_007);
  expect(() => Math.max(...many)).toThrow(RangeError);
  expect(largestOf(many)).toBe(300_006);
  expect(smallestOf(many)).toBe(0);
});

test("the start is the result if nothing exceeds it", () => {
  expect([largestOf([]), smallestOf([])]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  expect([largestOf([-3], 0), smallestOf([3], 0)]).toEqual([0, 0]);
});
