import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultSmoothing, nearestPoint, smooth, thin } from "../../src/report/curves.ts";
import type { CurvePoint } from "../../src/report/plotted-run.ts";

const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { maxLength: 70 });
const pointsOf = (ys: readonly number[]): CurvePoint[] => ys.map((y, i) => [i + 1, (i + 1) / 4, y]);

describe("smooth", () => {
  it("averages the last points, or fewer at the start", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 20 }), (ys, count) => {
        const found = smooth(pointsOf(ys), count);
        expect(found).toHaveLength(ys.length);
        ys.forEach((_, i) => {
          const last = ys.slice(Math.max(0, i + 1 - count), i + 1);
          const mean = last.reduce((sum, y) => sum + y, 0) / last.length;
          expect(found[i].slice(0, 2)).toEqual([i + 1, (i + 1) / 4]);
          expect(found[i][2]).toBeCloseTo(mean, 9);
        });
      }),
    );
  });

  it("has no effect over one step or on a constant", () => {
    expect(smooth(pointsOf([3, 1, 2]), 1)).toEqual(pointsOf([3, 1, 2]));
    expect(smooth(pointsOf([2, 2, 2, 2]), 3)).toEqual(pointsOf([2, 2, 2, 2]));
  });
});

describe("thin", () => {
  it("keeps a limited number of the points, in order, with the ends and the extremes", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 6, max: 30 }), (ys, limit) => {
        const points = pointsOf(ys);
        const kept = thin(points, limit, ([, , value]) => value);
        expect(kept.length).toBeLessThanOrEqual(Math.max(limit, 0));
        expect(points.filter((point) => kept.includes(point))).toEqual(kept);
        if (ys.length === 0) return;
        expect(kept[0]).toBe(points[0]);
        expect(kept.at(-1)).toBe(points.at(-1));
        expect(Math.max(...kept.map((point) => point[2]))).toBe(Math.max(...ys));
        expect(Math.min(...kept.map((point) => point[2]))).toBe(Math.min(...ys));
      }),
    );
  });

  it("leaves a short curve unchanged", () => {
    const points = pointsOf([5, 4, 3]);
    expect(thin(points, 3, ([, , value]) => value)).toBe(points);
  });
});

it.each([
  [0, 1],
  [39, 1],
  [80, 2],
  [199, 2],
  [200, 5],
  [400, 10],
  [4200, 100],
  [100_000, 2000],
])("a run of %i steps is smoothed over %i", (steps, smoothing) => {
  expect(defaultSmoothing(steps)).toBe(smoothing);
});

it("nearestPoint returns the nearest point", () => {
  expect(nearestPoint([], 3)).toBeNull();
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ max: 99 }), { minLength: 1 }),
      fc.double({ min: -200, max: 200, noNaN: true }),
      (xs, x) => {
        const points = xs.sort((a, b) => a - b).map((each) => ({ x: each }));
        const found = nearestPoint(points, x);
        expect(Math.abs((found?.x ?? Number.NaN) - x)).toBe(
          Math.min(...xs.map((each) => Math.abs(each - x))),
        );
      },
    ),
  );
});
