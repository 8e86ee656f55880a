/**
 * Prints the polynomials of src/backend/wasm/kernels/math.ts: `npx tsx scripts/fit-polynomials.ts`.
 *
 * Each one is the minimax fit of a function on an interval: the polynomial of the given degree with the smallest
 * maximum weighted error, found by the Remez exchange algorithm. With weight 1/result, the error is the relative
 * error of the final result.
 */

interface Fit {
  readonly name: string;
  readonly target: (x: number) => number;
  /** Weight of the polynomial's error at x. */
  readonly weight: (x: number) => number;
  readonly low: number;
  readonly high: number;
  readonly degree: number;
}

const TAIL_SCALE = 0.35;
const TAIL_END = 16;
const tailLow = 1 / (1 + TAIL_SCALE * TAIL_END);

const fits: Fit[] = [
  {
    name: "exp: (e^r − 1 − r)/r²",
    target: (r) => series(r, (n) => 1 / factorial(n + 2)),
    weight: (r) => (r * r) / Math.exp(r),
    low: -Math.LN2 / 2,
    high: Math.LN2 / 2,
    degree: 4,
  },
  {
    name: "log: (ln(1 + f) − f + f²/2)/f³",
    target: (f) => logTarget(f),
    weight: (f) => (f === 0 ? 0 : Math.abs(f ** 3 / Math.log1p(f))),
    low: Math.SQRT1_2 - 1,
    high: Math.SQRT2 - 1,
    degree: 8,
  },
  {
    name: "tanh: (tanh √u − √u)/u^1.5",
    target: (u) => tanhTarget(u),
    weight: (u) => (u === 0 ? 0 : u ** 1.5 / Math.tanh(Math.sqrt(u))),
    low: 0,
    high: 0.625 ** 2,
    degree: 4,
  },
  {
    name: `tailOverBell: ½·erfcx(a/√2)/t with t = 1/(1 + ${TAIL_SCALE}·a) = ½ + u`,
    target: (u) => tailOverBell((1 / (u + 0.5) - 1) / TAIL_SCALE) / (u + 0.5),
    weight: (u) => (u + 0.5) / tailOverBell((1 / (u + 0.5) - 1) / TAIL_SCALE),
    low: tailLow - 0.5,
    high: 0.5,
    degree: 8,
  },
];

for (const fit of fits) {
  const { coefficients, error } = remez(fit);
  console.log(`${fit.name}\n  largest weighted error ${error.toExponential(2)}`);
  for (const [power, coefficient] of coefficients.entries()) console.log(`  x^${power}: ${coefficient}`);
}

/**
 * Remez exchange: solve for the polynomial whose error alternates between +E and −E at degree + 2 points, move the
 * points to the extrema of its error, and repeat until all extrema are about equal.
 */
function remez({ target, weight, low, high, degree }: Fit): { coefficients: number[]; error: number } {
  const middle = (low + high) / 2;
  const radius = (high - low) / 2;
  let points = Array.from(
    { length: degree + 2 },
    (_, i) => middle - radius * Math.cos((Math.PI * (i + 0.5)) / (degree + 2)),
  );
  for (let round = 0; round < 100; round++) {
    const rows = points.map((x, i) => [
      ...Array.from({ length: degree + 1 }, (_, power) => x ** power),
      (i % 2 === 0 ? 1 : -1) / weight(x),
    ]);
    const solution = solve(rows, points.map(target));
    const coefficients = solution.slice(0, -1);
    const levelled = Math.abs(solution[degree + 1]);
    const errorAt = (x: number) => weight(x) * (evaluate(coefficients, x) - target(x));
    const extrema = alternating(errorAt, middle, radius);
    while (extrema.length > degree + 2) {
      if (Math.abs(errorAt(extrema[0])) < Math.abs(errorAt(extrema[extrema.length - 1]))) extrema.shift();
      else extrema.pop();
    }
    const error = Math.max(...extrema.map((x) => Math.abs(errorAt(x))));
    if (extrema.length < degree + 2) throw new Error(`remez: the error changes sign too seldom: ${extrema}`);
    if (error < 1.001 * levelled) return { coefficients, error };
    points = extrema;
  }
  throw new Error("remez: no convergence in 100 rounds");
}

/** The maximum of |f| between each pair of sign changes. */
function alternating(f: (x: number) => number, middle: number, radius: number): number[] {
  const extrema: number[] = [];
  const count = 20_000;
  for (let i = 0; i <= count; i++) {
    const x = middle - radius * Math.cos((Math.PI * i) / count);
    const last = extrema.length - 1;
    if (last < 0 || Math.sign(f(x)) !== Math.sign(f(extrema[last]))) extrema.push(x);
    else if (Math.abs(f(x)) > Math.abs(f(extrema[last]))) extrema[last] = x;
  }
  return extrema;
}

/** Gaussian elimination with row exchange. */
function solve(rows: readonly number[][], right: readonly number[]): number[] {
  const m = rows.map((row, i) => [...row, right[i]]);
  for (let column = 0; column < m.length; column++) {
    let pivot = column;
    for (let i = column; i < m.length; i++) {
      if (Math.abs(m[i][column]) > Math.abs(m[pivot][column])) pivot = i;
    }
    [m[column], m[pivot]] = [m[pivot], m[column]];
    for (let i = 0; i < m.length; i++) {
      if (i === column) continue;
      const factor = m[i][column] / m[column][column];
      for (let j = column; j <= m.length; j++) m[i][j] -= factor * m[column][j];
    }
  }
  return m.map((row, i) => row[m.length] / row[i]);
}

function evaluate(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}

/** Σ coefficient(n)·xⁿ, with 60 terms. */
function series(x: number, coefficient: (n: number) => number): number {
  return evaluate(
    Array.from({ length: 60 }, (_, n) => coefficient(n)),
    x,
  );
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}

/** Uses the series if the difference would cancel. */
function logTarget(f: number): number {
  if (Math.abs(f) > 0.2) return (Math.log1p(f) - f + (f * f) / 2) / f ** 3;
  return series(f, (n) => (n % 2 === 0 ? 1 : -1) / (n + 3));
}

/** Uses Lambert's continued fraction if the difference would cancel: tanh x = x/(1 + r), r = x²/(3 + x²/(5 + …)). */
function tanhTarget(u: number): number {
  let denominator = 23;
  for (let n = 21; n >= 3; n -= 2) denominator = n + u / denominator;
  return -1 / (denominator + u);
}

/** Φ(−a)·e^{a²/2}, by the series of erf below 2, otherwise by the continued fraction of erfc. */
function tailOverBell(a: number): number {
  const z = a * Math.SQRT1_2;
  if (z < 2) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 120; n++) {
      term *= (2 * z * z) / (2 * n + 1);
      sum += term;
    }
    return 0.5 * (Math.exp(z * z) - (2 / Math.sqrt(Math.PI)) * sum);
  }
  let fraction = 0;
  for (let n = 300; n >= 1; n--) fraction = n / 2 / (z + fraction);
  return 0.5 / (z + fraction) / Math.sqrt(Math.PI);
}
