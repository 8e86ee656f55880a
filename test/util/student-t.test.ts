import { describe, expect, it } from "vitest";
import { Random } from "../../src/random.ts";
import { criticalT, twoSidedP } from "../../src/util/student-t.ts";

/** Critical values from printed tables, by degrees of freedom: two-sided 20%, 5%, 1% and 0.1%. */
const TABLE: readonly (readonly [degrees: number, ...critical: readonly [number, number, number, number]])[] =
  [
    [1, 3.078, 12.706, 63.657, 636.619],
    [2, 1.886, 4.303, 9.925, 31.599],
    [3, 1.638, 3.182, 5.841, 12.924],
    [4, 1.533, 2.776, 4.604, 8.61],
    [5, 1.476, 2.571, 4.032, 6.869],
    [9, 1.383, 2.262, 3.25, 4.781],
    [10, 1.372, 2.228, 3.169, 4.587],
    [20, 1.325, 2.086, 2.845, 3.85],
    [30, 1.31, 2.042, 2.75, 3.646],
    [120, 1.289, 1.98, 2.617, 3.373],
  ];

describe("Student's t", () => {
  it.each(TABLE)("has the tables' critical values for %i degrees of freedom", (degrees, ...critical) => {
    for (const [i, p] of [0.2, 0.05, 0.01, 0.001].entries()) {
      expect(criticalT(p, degrees)).toBeCloseTo(critical[i], 3);
      expect(twoSidedP(criticalT(p, degrees), degrees)).toBeCloseTo(p, 13);
    }
  });

  it("has the closed forms for one, two and four degrees of freedom", () => {
    for (const t of [0, 0.1, 0.7, 1, 3, 20, 1e3]) {
      const square = t * t;
      expect(twoSidedP(t, 1)).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(t), 14);
      expect(twoSidedP(t, 2)).toBeCloseTo(1 - t / Math.sqrt(2 + square), 14);
      const ratio = t / Math.sqrt(4 + square);
      expect(twoSidedP(t, 4)).toBeCloseTo(1 - ratio * (1 + 2 / (4 + square)), 14);
    }
  });

  it("agrees with the integral of the density for many degrees of freedom", () => {
    // Simpson's rule over the unnormalized density, so that no gamma function is needed.
    const integral = (from: number, to: number, degrees: number) => {
      const steps = 20_000;
      const at = (i: number) =>
        (1 + (from + ((to - from) * i) / steps) ** 2 / degrees) ** (-(degrees + 1) / 2);
      let sum = at(0) + at(steps);
      for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * at(i);
      return (sum * (to - from)) / steps / 3;
    };
    for (const degrees of [7, 8, 13, 30, 31, 200]) {
      for (const t of [0.3, 1, 2.5, 5]) {
        const p = 1 - integral(0, t, degrees) / integral(0, 60, degrees);
        expect(twoSidedP(t, degrees), `${t} with ${degrees}`).toBeCloseTo(p, 9);
      }
    }
  });

  it("is the distribution of a mean over its standard error", () => {
    const random = Random.of(1, "student");
    let beyond = 0;
    for (let trial = 0; trial < 20_000; trial++) {
      const draws = [random.normal(), random.normal(), random.normal()];
      const mean = (draws[0] + draws[1] + draws[2]) / 3;
      const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 2;
      if (Math.abs(mean) / Math.sqrt(variance / 3) > 4.3027) beyond++;
    }
    // 1,000 expected, with a standard deviation of 31.
    expect(Math.abs(beyond - 1000)).toBeLessThan(125);
  });

  it("is symmetric, 1 at 0 and 0 at infinity", () => {
    for (const degrees of [1, 2, 3, 8]) {
      expect(twoSidedP(0, degrees)).toBe(1);
      expect(twoSidedP(-1.5, degrees)).toBe(twoSidedP(1.5, degrees));
      expect(twoSidedP(Number.POSITIVE_INFINITY, degrees)).toBe(0);
      expect(twoSidedP(1e200, degrees)).toBeCloseTo(0, 14);
    }
  });
});
