import { expect, test } from "vitest";
import { Curve } from "../../../../../src/cli/commands/train/display/curve.ts";

test("a short curve keeps every point", () => {
  const curve = new Curve();
  for (const x of [1, 2, 3]) curve.add(x, 10 * x);
  expect(curve.points()).toEqual([
    [1, 10],
    [2, 20],
    [3, 30],
  ]);
});

test("a long curve stays small, keeps its mean and order, and includes the latest point", () => {
  const curve = new Curve();
  const count = 10_007;
  for (let x = 1; x <= count; x++) curve.add(x, 2 * x);
  const points = curve.points();
  expect(points.length).toBeLessThan(2100);
  expect(points.length).toBeGreaterThan(1000);
  points.forEach(([x, y], i) => {
    expect(y).toBeCloseTo(2 * x, 6);
    if (i > 0) expect(x).toBeGreaterThan(points[i - 1][0]);
  });
  expect(points.at(-1)?.[0]).toBeGreaterThan(count - 8);
});
