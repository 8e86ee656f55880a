/**
 * Elementary functions in fixed-point arithmetic on BigInt, with 160 fractional bits, to check double precision
 * against. They use only +, −, × and integer division. Each function is computed from its Taylor series.
 */
const BITS = 160n;
const ONE = 1n << BITS;

/** Converts a double exactly, except for bits below 2⁻¹⁶⁰. */
export function fixed(x: number): bigint {
  // The integer part first, then 40 bits of the fraction at a time.
  let whole = Math.floor(x);
  let value = BigInt(whole) << BITS;
  let shift = BITS;
  for (let rest = x - whole; rest !== 0 && shift > 0n; ) {
    shift -= 40n;
    rest *= 2 ** 40;
    whole = Math.floor(rest);
    value += BigInt(whole) << shift;
    rest -= whole;
  }
  return value;
}

/** The nearest double, up to a rounding error in its last place. */
export function toDouble(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const excess = BigInt(Math.max(0, magnitude.toString(2).length - 64));
  const double = Number(magnitude >> excess) * 2 ** (Number(excess) - Number(BITS));
  return value < 0n ? -double : double;
}

const times = (a: bigint, b: bigint) => (a * b) >> BITS;
const over = (a: bigint, b: bigint) => (a << BITS) / b;

/** Σ termₙ with term₀ = first and termₙ = next(termₙ₋₁, n), until the terms vanish. */
function series(first: bigint, next: (term: bigint, n: bigint) => bigint): bigint {
  let sum = 0n;
  let term = first;
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    sum += term;
    term = next(term, n);
  }
  return sum;
}

/** eˣ for |x| up to about 60, as (e^{x/256})^256. */
function expOf(x: bigint): bigint {
  let power = series(ONE, (term, n) => times(term, x >> 8n) / n);
  for (let i = 0; i < 8; i++) power = times(power, power);
  return power;
}

/** 2·artanh((m−1)/(m+1)) + k·ln 2, after halving or doubling x to m near 1: x = m·2ᵏ. */
function logOf(x: bigint): bigint {
  let m = x;
  let k = 0n;
  for (; m > (3n * ONE) / 2n; k++) m >>= 1n;
  for (; m < (3n * ONE) / 4n; k--) m <<= 1n;
  const artanh = (s: bigint) => {
    const square = times(s, s);
    let power = s;
    let sum = 0n;
    for (let n = 1n; power !== 0n && power !== -1n; n += 2n) {
      sum += power / n;
      power = times(power, square);
    }
    return sum;
  };
  return 2n * artanh(over(m - ONE, m + ONE)) + k * 2n * artanh(ONE / 3n);
}

/** Euler's series, Σ (2n)!!/(2n+1)!!·x²ⁿ⁺¹/(1+x²)ⁿ⁺¹; beyond 1, from atan x + atan 1/x = π/2. */
function atanOf(x: bigint): bigint {
  const quarterTurn = () => 2n * atanOf(ONE);
  if (x > ONE) return quarterTurn() - atanOf(over(ONE, x));
  if (x < -ONE) return -quarterTurn() - atanOf(over(ONE, x));
  const square = times(x, x);
  const ratio = over(square, ONE + square);
  return series(over(x, ONE + square), (term, n) => (times(term, ratio) * 2n * n) / (2n * n + 1n));
}

function cosOf(x: bigint): bigint {
  const square = times(x, x);
  return series(ONE, (term, n) => -times(term, square) / ((2n * n - 1n) * (2n * n)));
}

function sinOf(x: bigint): bigint {
  const square = times(x, x);
  return series(x, (term, n) => -times(term, square) / (2n * n * (2n * n + 1n)));
}

/** 2/√π Σ (−1)ⁿ x^{2n+1} / (n!·(2n+1)), with π from Machin's formula. */
function erfOf(x: bigint): bigint {
  const square = times(x, x);
  let power = x;
  let sum = 0n;
  for (let n = 0n; power !== 0n && power !== -1n; ) {
    sum += power / (2n * n + 1n);
    n += 1n;
    power = -times(power, square) / n;
  }
  return over(2n * sum, squareRoot(PI));
}

/** By Newton's iteration. */
function squareRoot(x: bigint): bigint {
  let root = x;
  for (let i = 0; i < 100; i++) root = (root + over(x, root)) >> 1n;
  return root;
}

/** arctan(1/n) = 1/n − 1/3n³ + 1/5n⁵ − … */
function arctanOfReciprocal(n: bigint): bigint {
  let power = ONE / n;
  let sum = 0n;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += (k % 4n === 1n ? power : -power) / k;
    power /= n * n;
  }
  return sum;
}

const PI = 16n * arctanOfReciprocal(5n) - 4n * arctanOfReciprocal(239n);

export const exact = {
  exp: (x: number) => toDouble(expOf(fixed(x))),
  log: (x: number) => toDouble(logOf(fixed(x))),
  tanh(x: number): number {
    const power = expOf(2n * fixed(x));
    return toDouble(over(power - ONE, power + ONE));
  },
  cos: (x: number) => toDouble(cosOf(fixed(x))),
  sin: (x: number) => toDouble(sinOf(fixed(x))),
  atan: (x: number) => toDouble(atanOf(fixed(x))),
  erf: (x: number) => toDouble(erfOf(fixed(x))),
  erfc: (x: number) => toDouble(ONE - erfOf(fixed(x))),
};
