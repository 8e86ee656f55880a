import fc from "fast-check";
import { expect, it } from "vitest";
import { smooth } from "../../src/report/curves.ts";
import { GrowingCurve } from "../../src/report/growing-curve.ts";
import type { CurvePoint } from "../../src/report/plotted-run.ts";

const pointsOf = (values: readonly number[]) => values.map((value, i): CurvePoint => [i + 1, i / 7, value]);

function grown(points: readonly CurvePoint[], most?: number): GrowingCurve {
  const curve = new GrowingCurve(most);
  for (const point of points) curve.add(point);
  return curve;
}

it("keeps every point of a curve that is not long, and smooths it as the whole", () => {
  const points = pointsOf([3, 1, 4, 1, 5, 9, 2, 6]);
  const curve = grown(points);
  expect(curve.points()).toEqual(points);
  expect(curve.smoothed(3)).toEqual(smooth(points, 3));
  expect(curve.count).toBe(8);
});

it("is empty before a point is added", () => {
  expect(new GrowingCurve().points()).toEqual([]);
  expect(new GrowingCurve().smoothed(5)).toEqual([]);
});

it("keeps the first, the last, the lowest and the highest point of any curve, in few points and in order", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 300 }),
      fc.constantFrom(2, 4, 14),
      (values, most) => {
        const points = pointsOf(values);
        const kept = grown(points, most).points();
        expect(kept[0]).toBe(points[0]);
        expect(kept.at(-1)).toBe(points.at(-1));
        const heights = kept.map(([, , value]) => value);
        for (const extreme of [Math.min(...values), Math.max(...values)]) {
          // Of 0 and −0, either is the lowest.
          expect(heights.some((height) => height === extreme)).toBe(true);
        }
        expect(kept.length).toBeLessThanOrEqual(2 * most + 2);
        for (const point of kept) expect(points).toContain(point);
        for (let i = 1; i < kept.length; i++) expect(kept[i][0]).toBeGreaterThan(kept[i - 1][0]);
      },
    ),
  );
});

it("keeps an extreme of every group, so that a spike anywhere is seen", () => {
  for (const spike of [0, 1, 500, 777, 998, 999]) {
    const values = Array.from({ length: 1000 }, (_, i) => (i === spike ? 50 : Math.sin(i)));
    const found = grown(pointsOf(values), 8).points();
    expect(found.find(([, , value]) => value === 50)?.[0]).toBe(spike + 1);
  }
});

it("smooths a long curve by the means of whole groups", () => {
  // Eight groups of 16 points each, and smoothing over two groups.
  const points = pointsOf(Array.from({ length: 128 }, (_, i) => (i * 37) % 41));
  const smoothed = grown(points, 8).smoothed(32);
  const whole = smooth(points, 32);
  expect(smoothed).toHaveLength(8);
  for (const [step, seconds, value] of smoothed.slice(1)) {
    expect(whole[step - 1][1]).toBe(seconds);
    expect(value).toBeCloseTo(whole[step - 1][2], 10);
  }
});
