/** The library's elementary functions against 160-bit fixed-point arithmetic. */
import { describe, expect, test } from "vitest";
import { atan, cos, erf, erfc, exp, log, powerOfInteger, sin, tanh } from "../src/math.ts";
import { Random } from "../src/random.ts";
import { exact } from "./support/exact.ts";

/** The error in units of the last place of the exact value. */
function unitsOff(actual: number, expected: number): number {
  if (Object.is(actual, expected)) return 0;
  const exponent = Math.max(-1022, Math.floor(Math.log2(Math.abs(expected))));
  return Math.abs(actual - expected) / 2 ** (exponent - 52);
}

/** Uniform in [from, to]. */
function uniform(count: number, from: number, to: number): number[] {
  const random = Random.of(1, "math", from, to);
  return Array.from({ length: count }, () => from + (to - from) * random.uniform());
}

function expectUnits(
  f: (x: number) => number,
  oracle: (x: number) => number,
  xs: number[],
  units: number,
): void {
  for (const x of xs) {
    const [actual, expected] = [f(x), oracle(x)];
    expect(unitsOff(actual, expected), `at ${x}: got ${actual}, want ${expected}`).toBeLessThanOrEqual(units);
  }
}

const { POSITIVE_INFINITY, NEGATIVE_INFINITY, NaN: nan } = Number;

test("the oracle matches the digits of e, ln 2, tanh 1, cos 1, sin 1, atan 1 and erf 1", () => {
  expect(exact.exp(1)).toBeCloseTo(Math.E, 15);
  expect(exact.log(2)).toBeCloseTo(Math.LN2, 15);
  expect(exact.tanh(1)).toBeCloseTo(0.7615941559557649, 15);
  expect(exact.cos(1)).toBeCloseTo(0.5403023058681398, 15);
  expect(exact.sin(1)).toBeCloseTo(0.8414709848078965, 15);
  expect(exact.atan(1)).toBeCloseTo(0.7853981633974483, 15);
  expect(exact.erf(1)).toBeCloseTo(0.8427007929497149, 15);
  expect(exact.erfc(3)).toBeCloseTo(2.209049699858544e-5, 19);
});

describe("exp", () => {
  test("is accurate to a unit in the last place", () => {
    expectUnits(
      exp,
      exact.exp,
      [...uniform(300, -30, 40), ...uniform(100, -1, 1), 1e-20, 0.34657, 0.34658],
      1.5,
    );
  });

  test("has the same bits as its series with a division per term", () => {
    const plain = (r: number) => {
      let sum = 1;
      for (let n = 14; n >= 1; n--) sum = 1 + (r / n) * sum;
      return sum;
    };
    // For |x| < ln(2)/2 there is no reduction, so the series is evaluated at x itself.
    const xs = [...uniform(20_000, -0.3465, 0.3465), ...uniform(200, -1e-8, 1e-8), 5e-324, -2e-310, 1e-160];
    for (const x of xs) expect(exp(x)).toBe(plain(x));
  });

  test("covers the range from the smallest number to the largest", () => {
    expect(exp(0)).toBe(1);
    expect(exp(709.782712893384) / 1.7976931348622732e308).toBeCloseTo(1, 12);
    expect(exp(709.79)).toBe(POSITIVE_INFINITY);
    expect(exp(-745.13)).toBe(Number.MIN_VALUE);
    expect(exp(-745.14)).toBe(0);
    // e^−720 = e^−360 · e^−360, a subnormal number.
    expect(unitsOff(exp(-720), Math.exp(-360) * Math.exp(-360))).toBeLessThanOrEqual(1);
    expect([exp(POSITIVE_INFINITY), exp(NEGATIVE_INFINITY), exp(nan)]).toEqual([POSITIVE_INFINITY, 0, nan]);
  });
});

describe("log", () => {
  test("is accurate to two units in the last place", () => {
    const xs = [
      ...uniform(200, 0, 2),
      ...uniform(100, 0.99, 1.01),
      ...uniform(100, 2, 1e6),
      1 + 2 ** -52,
      1 - 2 ** -53,
    ];
    expectUnits(log, exact.log, xs, 2);
  });

  test("has the same bits as its series with a division per term", () => {
    const plain = (s2: number) => {
      let sum = 0;
      for (let n = 23; n >= 3; n -= 2) sum = (sum + 1 / n) * s2;
      return sum;
    };
    for (const m of [...uniform(1000, Math.SQRT1_2, Math.SQRT2), Math.SQRT2]) {
      const s = (m - 1) / (m + 1);
      const low = 1.9082149292705877e-10;
      for (const k of [-1021, -54, -1, 0, 1, 53, 1021]) {
        const expected = k * 0.6931471803691238 + (k * low + 2 * s * plain(s * s) + 2 * s);
        expect(log(m * 2 ** k)).toBe(expected);
      }
    }
  });

  test("covers the range from the smallest number to the largest", () => {
    expect(log(1)).toBe(0);
    expectUnits(log, () => -1074 * Math.LN2, [Number.MIN_VALUE], 1);
    expectUnits(log, () => 709.782712893384, [Number.MAX_VALUE], 1);
    expect([log(0), log(-1), log(POSITIVE_INFINITY), log(nan)]).toEqual([
      NEGATIVE_INFINITY,
      nan,
      POSITIVE_INFINITY,
      nan,
    ]);
  });
});

describe("tanh", () => {
  test("is accurate to two units in the last place, and odd", () => {
    const xs = [...uniform(200, -1, 1), ...uniform(100, -15, 15), 0.5, 0.49999999, 1e-10];
    expectUnits(tanh, exact.tanh, xs, 2);
    for (const x of xs) expect(tanh(-x)).toBe(-tanh(x));
  });

  test("has the right limits", () => {
    expect([tanh(0), tanh(25), tanh(NEGATIVE_INFINITY), tanh(nan)]).toEqual([0, 1, -1, nan]);
    expect(tanh(1e-300)).toBe(1e-300);
  });
});

describe("cos", () => {
  test("is accurate to 2⁻⁵², including near its zeros", () => {
    const xs = [
      ...uniform(200, -10, 10),
      ...uniform(30, -50, 50),
      Math.PI / 2,
      Math.PI,
      (3 * Math.PI) / 2,
      0,
    ];
    for (const x of xs) expect(Math.abs(cos(x) - exact.cos(x)), `at ${x}`).toBeLessThan(2 ** -52);
  });

  test("satisfies 1 + cos 2x = 2·cos² x up to a million", () => {
    for (const x of uniform(300, -5e5, 5e5)) {
      expect(Math.abs(1 + cos(2 * x) - 2 * cos(x) * cos(x)), `at ${x}`).toBeLessThan(2 ** -50);
    }
  });
});

describe("atan", () => {
  test("is accurate to a few units in the last place, and odd", () => {
    const xs = [...uniform(200, 0, 1), ...uniform(200, 0, 30), ...uniform(50, 0, 1e-3), 1, 1e9, 1e300];
    expectUnits(atan, exact.atan, xs, 4);
    for (const x of xs) expect(atan(-x)).toBe(-atan(x));
  });

  test("has its limits, and keeps NaN and zero", () => {
    expect(atan(POSITIVE_INFINITY)).toBe(Math.PI / 2);
    expect(atan(NEGATIVE_INFINITY)).toBe(-Math.PI / 2);
    expect(atan(0)).toBe(0);
    expect(atan(nan)).toBeNaN();
  });
});

describe("sin", () => {
  test("is accurate to 2⁻⁵², including near its zeros", () => {
    for (const x of [...uniform(200, -10, 10), ...uniform(30, -50, 50), Math.PI, 2 * Math.PI, 0]) {
      expect(Math.abs(sin(x) - exact.sin(x)), `at ${x}`).toBeLessThan(2 ** -52);
    }
  });

  test("and cos satisfy the identities of the unit circle up to a million", () => {
    expect(sin(-1)).toBe(-sin(1));
    for (const x of uniform(300, -1e6, 1e6)) {
      expect(Math.abs(sin(x) * sin(x) + cos(x) * cos(x) - 1), `at ${x}`).toBeLessThan(2 ** -50);
      expect(Math.abs(sin(2 * x) - 2 * sin(x) * cos(x)), `at ${x}`).toBeLessThan(2 ** -48);
    }
  });
});

describe("erf and erfc", () => {
  test("erf is accurate to a dozen units in the last place, and odd", () => {
    const xs = [...uniform(200, -3, 3), ...uniform(50, -5.5, 5.5), 2.5, 2.4999999, 1e-12];
    expectUnits(erf, exact.erf, xs, 12);
    for (const x of xs) expect(erf(-x)).toBe(-erf(x));
  });

  test("erfc keeps its precision where erf is nearly 1", () => {
    for (const x of [...uniform(50, -3, 2.5), ...uniform(50, 2.5, 8)]) {
      expect(Math.abs(erfc(x) / exact.erfc(x) - 1), `at ${x}`).toBeLessThan(1e-12);
    }
  });

  test("have the right limits", () => {
    expect([erf(0), erf(POSITIVE_INFINITY), erf(NEGATIVE_INFINITY), erf(nan)]).toEqual([0, 1, -1, nan]);
    expect([erfc(0), erfc(POSITIVE_INFINITY), erfc(NEGATIVE_INFINITY), erfc(nan)]).toEqual([1, 0, 2, nan]);
  });
});

test("powerOfInteger is repeated multiplication", () => {
  expect([0, 1, 2, 3, 10, 31].map((n) => powerOfInteger(-2, n))).toEqual([1, -2, 4, -8, 1024, -2147483648]);
  expect(powerOfInteger(0, 0)).toBe(1);
  expect(powerOfInteger(0.999, 10_000)).toBeCloseTo(Math.exp(10_000 * Math.log(0.999)), 14);
});
