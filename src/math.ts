/**
 * Elementary functions in double precision, built from +, −, ×, ÷ and √ alone.
 *
 * IEEE 754 defines the rounding of those five exactly, so they agree on every machine. `Math.exp` and similar functions
 * differ in the last bit between engines and versions. These replacements are used wherever a bit can affect a weight
 * or a token. Errors are about 1 unit in the last place for exp, 2 for log and tanh, a few for atan, a dozen for erf. They are slow, so
 * kernels have their own versions.
 */

const { LN2 } = Math;
/** ln 2 in two parts. The first has 32 significant bits, so its small integer multiples are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

const bits = new DataView(new ArrayBuffer(8));
/** 2^k for −1022 ≤ k ≤ 1023. */
const powersOfTwo = new Float64Array(2046);
for (let k = 0, power = 1; k <= 1023; k++, power *= 2) {
  powersOfTwo[1022 + k] = power;
  if (k <= 1022) powersOfTwo[1022 - k] = 1 / power;
}

/** 2^k, exactly, for −1022 ≤ k ≤ 1023. */
function powerOfTwo(k: number): number {
  return powersOfTwo[1022 + k];
}

/** e^x, by the Taylor series for r after reducing x = k·ln 2 + r with |r| ≤ ln(2)/2. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
  if (x < -745.1332191019412) return 0;
  const k = Math.round(x / LN2);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  const sum = seriesOfExp(r);
  // Two factors, because near the ends of the range 2^k is not a normal number.
  const half = k >> 1;
  return sum * powerOfTwo(half) * powerOfTwo(k - half);
}

/**
 * 1 + r/1·(1 + r/2·(1 + … r/14)), with the bits of a Horner loop that divides by 14, 13, … 1. Unrolled, because a
 * multiple of a quotient by a power of two is exact (r/6 is half of r/3), so six divisions replace fourteen. The loop
 * takes 15% longer.
 */
function seriesOfExp(r: number): number {
  const third = r / 3;
  const fifth = r / 5;
  const seventh = r / 7;
  let sum = 1 + 0.5 * seventh;
  sum = 1 + (r / 13) * sum;
  sum = 1 + 0.25 * third * sum;
  sum = 1 + (r / 11) * sum;
  sum = 1 + 0.5 * fifth * sum;
  sum = 1 + (r / 9) * sum;
  sum = 1 + 0.125 * r * sum;
  sum = 1 + seventh * sum;
  sum = 1 + 0.5 * third * sum;
  sum = 1 + fifth * sum;
  sum = 1 + 0.25 * r * sum;
  sum = 1 + third * sum;
  sum = 1 + 0.5 * r * sum;
  return 1 + r * sum;
}

/** ln x. With x = 2^k·m, √½ ≤ m ≤ √2, and s = (m−1)/(m+1): ln m = 2·(s + s³/3 + s⁵/5 + …). */
export function log(x: number): number {
  if (Number.isNaN(x) || x < 0) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  // A number whose exponent cannot be negated is first moved away from the ends of the range.
  const shift = x < 2.2250738585072014e-308 ? -54 : x > 1e300 ? 54 : 0;
  const moved = shift === 0 ? x : x * powerOfTwo(-shift);
  bits.setFloat64(0, moved);
  const exponent = (bits.getUint32(0) >>> 20) - 1023;
  const significand = moved * powerOfTwo(-exponent);
  // Without a branch, which would be guessed wrong every other time.
  const isHigh = significand > Math.SQRT2 ? 1 : 0;
  const m = significand * powerOfTwo(-isHigh);
  const k = shift + exponent + isHigh;
  const s = (m - 1) / (m + 1);
  return k * LN2_HIGH + (k * LN2_LOW + 2 * s * seriesOfLog(s * s) + 2 * s);
}

/** s²/3 + s⁴/5 + … + s²²/23. Unrolled, so that the engine divides once, when it compiles this. */
function seriesOfLog(s2: number): number {
  let sum = (1 / 23) * s2;
  sum = (sum + 1 / 21) * s2;
  sum = (sum + 1 / 19) * s2;
  sum = (sum + 1 / 17) * s2;
  sum = (sum + 1 / 15) * s2;
  sum = (sum + 1 / 13) * s2;
  sum = (sum + 1 / 11) * s2;
  sum = (sum + 1 / 9) * s2;
  sum = (sum + 1 / 7) * s2;
  sum = (sum + 1 / 5) * s2;
  return (sum + 1 / 3) * s2;
}

/** tanh x = (1 − e^{−2|x|}) / (1 + e^{−2|x|}); near 0, where that loses digits, Lambert's continued fraction. */
export function tanh(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude < 0.5) {
    const x2 = x * x;
    let denominator = 21;
    for (let n = 19; n >= 1; n -= 2) denominator = n + x2 / denominator;
    return x / denominator;
  }
  const e = exp(-2 * magnitude);
  const y = (1 - e) / (1 + e);
  return x < 0 ? -y : y;
}

/** cos x for |x| up to a million. */
export function cos(x: number): number {
  return shiftedCosine(x, 0);
}

/** sin x = cos(x − π/2) for |x| up to a million. */
export function sin(x: number): number {
  return shiftedCosine(x, -1);
}

/** cos(x + quarters·π/2), by the Taylor series for r after reducing x = k·π/2 + r with |r| ≤ π/4. */
function shiftedCosine(x: number, quarters: number): number {
  const turns = Math.round(x / 1.5707963267948966);
  const r = x - turns * 1.5707963267341256 - turns * 6.077100506506192e-11;
  const k = turns + quarters;
  const r2 = r * r;
  const odd = (k & 1) !== 0;
  let sum = 1;
  for (let n = odd ? 21 : 20; n >= 2; n -= 2) sum = 1 - (r2 / (n * (n - 1))) * sum;
  const value = odd ? r * sum : sum;
  return (((k + 1) >> 1) & 1) !== 0 ? -value : value;
}

/**
 * The arc tangent. Halving the angle three times, atan x = 2·atan(x/(1 + √(1 + x²))), leaves |x| < 0.1, where the
 * Taylor series is short.
 */
export function atan(x: number): number {
  if (Math.abs(x) > 1) return (x < 0 ? -1 : 1) * (Math.PI / 2) - atan(1 / x);
  let small = x;
  for (let halving = 0; halving < 3; halving++) small /= 1 + Math.sqrt(1 + small * small);
  const square = small * small;
  let sum = 0;
  for (let n = 17; n >= 3; n -= 2) sum = square * (1 / n - sum);
  return 8 * (small - small * sum);
}

/**
 * erf x = 2/√π ∫₀ˣ e^{−t²} dt. Below 2.5, by the series 2/√π·e^{−x²} Σ 2ⁿx^{2n+1}/(2n+1)!!, whose terms all have the
 * same sign; above, by the continued fraction of 1 − erf.
 */
export function erf(x: number): number {
  const TWO_OVER_SQRT_PI = 1.1283791670955126;
  const magnitude = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (magnitude < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return TWO_OVER_SQRT_PI * exp(-x * x) * sum;
  }
  const y = 1 - erfcTail(magnitude);
  return x < 0 ? -y : y;
}

/** 1 − erf x, without cancellation for large x. */
export function erfc(x: number): number {
  return x < 2.5 ? 1 - erf(x) : erfcTail(x);
}

/** e^{−x²}/√π · 1/(x + ½/(x + 1/(x + 1½/(x + …)))) for x ≥ 2.5. */
function erfcTail(x: number): number {
  if (x > 27) return 0;
  let denominator = x;
  for (let n = 60; n >= 1; n--) denominator = x + n / 2 / denominator;
  return (exp(-x * x) * 0.5641895835477563) / denominator;
}

/** base^n for an integer n ≥ 0, by repeated squaring. */
export function powerOfInteger(base: number, n: number): number {
  let result = 1;
  for (let square = base, left = n; left > 0; left = Math.floor(left / 2), square *= square) {
    if (left % 2 === 1) result *= square;
  }
  return result;
}
