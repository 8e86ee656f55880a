import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { axisOver, formatTick, placeOf, ticksOf } from "../../../src/cli/terminal/axis.ts";

const kind = fc.constantFrom("linear" as const, "log" as const);

describe("an axis", () => {
  test("spans exactly the values that fit its scale", () => {
    const values = [3, Number.NaN, 0.5, Number.POSITIVE_INFINITY, -2, 7];
    expect(axisOver(values, "linear")).toMatchObject({ from: -2, to: 7 });
    expect(axisOver([0, ...values], "log")).toMatchObject({ from: 0.5, to: 7 });
  });

  test("has a nonzero length for one value or none", () => {
    for (const kind of ["linear", "log"] as const) {
      expect(placeOf(axisOver([5], kind), 5)).toBeCloseTo(0.5, 12);
      expect(axisOver([], kind).to).toBeGreaterThan(axisOver([], kind).from);
    }
    expect(placeOf(axisOver([0], "linear"), 0)).toBe(0.5);
  });

  test("maps equal ratios to equal distances if logarithmic, equal differences if linear", () => {
    const places = (kind: "linear" | "log", values: number[]) =>
      values.map((value) => placeOf(axisOver(values, kind), value));
    places("log", [1, 10, 100]).forEach((place, i) => {
      expect(place).toBeCloseTo(i / 2, 12);
    });
    expect(places("linear", [1, 10, 19])).toEqual([0, 0.5, 1]);
    expect(placeOf({ kind: "linear", from: 1, to: 2 }, 9)).toBe(1);
  });
});

describe("ticks", () => {
  test.each([
    ["linear", 0.5146, 4.174, 6, [1, 2, 3, 4]],
    ["linear", 1, 4200, 7, [1000, 2000, 3000, 4000]],
    ["linear", 0, 0.3, 4, [0, 0.1, 0.2, 0.3]],
    ["linear", -7, 11, 3, [0, 10]],
    ["log", 0.5146, 4.174, 6, [1, 2, 3]],
    ["log", 0.0002, 3, 6, [0.001, 0.01, 0.1, 1]],
    ["log", 1e-9, 1, 4, [1e-9, 1e-6, 1e-3, 1]],
    ["log", 1.2, 1.7, 6, [1.2, 1.3, 1.4, 1.5, 1.6, 1.7]],
  ] as const)("on a %s axis from %d to %d, at most %d", (kind, from, to, most, expected) => {
    expect(ticksOf({ kind, from, to }, most)).toEqual(expected);
  });

  test("are on the axis, in ascending order and within the limit", () => {
    const value = fc
      .double({ min: -1e9, max: 1e9, noNaN: true })
      .map((value) => (Math.abs(value) < 1e-99 ? 0 : value));
    fc.assert(
      fc.property(kind, value, value, fc.integer({ min: 1, max: 20 }), (kind, a, b, most) => {
        const axis = axisOver([a, b], kind);
        const ticks = ticksOf(axis, most);
        expect(ticks.length).toBeLessThanOrEqual(most);
        ticks.forEach((tick, i) => {
          expect(tick).toBeGreaterThanOrEqual(axis.from);
          expect(tick).toBeLessThanOrEqual(axis.to);
          if (i > 0) expect(tick).toBeGreaterThan(ticks[i - 1]);
        });
      }),
    );
  });

  test("terminate for any values", () => {
    const any = fc.array(fc.double(), { maxLength: 4 });
    fc.assert(
      fc.property(kind, any, (kind, values) => {
        const axis = axisOver(values, kind);
        expect(axis.to).toBeGreaterThan(axis.from);
        expect(ticksOf(axis, 5).length).toBeLessThanOrEqual(5);
      }),
    );
  });
});

test.each([
  [0, "0"],
  [0.51464, "0.515"],
  [4.1744, "4.17"],
  [2, "2"],
  [0.001, "0.001"],
  [0.0002, "2e-4"],
  [640, "640"],
  [4200, "4,200"],
  [150_000, "150K"],
  [2_500_000, "2.5M"],
])("%d is %s", (value, words) => {
  expect(formatTick(value)).toBe(words);
});
