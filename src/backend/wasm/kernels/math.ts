/**
 * exp, log, tanh and the normal distribution, four numbers at a time.
 *
 * These use only +, −, ×, ÷ and bit operations, so the bits are the same on every machine. The polynomials are
 * minimax fits from `scripts/fit-polynomials.ts`. The stated errors are maxima in units in the last place (ulp),
 * measured against double precision by `test/backend/wasm/kernels/math.test.ts`.
 */
import { constant } from "./constants";
import { multiplyAdd } from "./multiply-add";

/** Adding 1.5·2²³ to a number below 2²² rounds it to an integer, which is then in the low bits. */
const ROUNDER: usize = memory.data<v128>([f32x4.splat(12582912)], 16);
/** The same rounder plus the exponent bias, 127. */
const BIASED_ROUNDER: usize = memory.data<v128>([f32x4.splat(12582912 + 127)], 16);
const LOG2_E: usize = memory.data<v128>([f32x4.splat(1.44269504088896341)], 16);
/** ln 2 in two parts. The first has nine significant bits, so its integer multiples up to 2¹⁵ are exact. */
const LN2_HIGH: usize = memory.data<v128>([f32x4.splat(0.693359375)], 16);
const LN2_LOW: usize = memory.data<v128>([f32x4.splat(-2.12194440054690583e-4)], 16);
const ONE: usize = memory.data<v128>([f32x4.splat(1)], 16);
const HALF: usize = memory.data<v128>([f32x4.splat(0.5)], 16);
const MINUS_HALF: usize = memory.data<v128>([f32x4.splat(-0.5)], 16);
const MINUS_TWO: usize = memory.data<v128>([f32x4.splat(-2)], 16);
const MINUS_88: usize = memory.data<v128>([f32x4.splat(-88)], 16);
const SHRINKING: usize = memory.data<v128>([f32x4.splat(0.35)], 16);

/** Coefficients of P of `expNearZero`, the highest power first. */
const EXP: usize = memory.data<v128>([
  f32x4.splat(0.0013814624422176071),
  f32x4.splat(0.008368709970099884),
  f32x4.splat(0.04166838714802045),
  f32x4.splat(0.16666520688342648),
  f32x4.splat(0.4999999345268978),
], 16);
/** Coefficients of P of `log`, the highest power first. */
const LOG: usize = memory.data<v128>([
  f32x4.splat(0.06746642028003076),
  f32x4.splat(-0.11675652241097821),
  f32x4.splat(0.11888161793704233),
  f32x4.splat(-0.12405588820360905),
  f32x4.splat(0.14219552417174436),
  f32x4.splat(-0.16667995861440965),
  f32x4.splat(0.2000211865590755),
  f32x4.splat(-0.25000009599226636),
  f32x4.splat(0.3333331260411291),
], 16);
/** Coefficients of P of `tanh`, the highest power first. */
const TANH: usize = memory.data<v128>([
  f32x4.splat(-0.005704983230261168),
  f32x4.splat(0.02063908355264048),
  f32x4.splat(-0.05373971387354543),
  f32x4.splat(0.1333144218413557),
  f32x4.splat(-0.3333328194174112),
], 16);
/** Coefficients of P of `tailOverBell`, the highest power first. */
const TAIL: usize = memory.data<v128>([
  f32x4.splat(-0.02916529074087861),
  f32x4.splat(0.02740642578858852),
  f32x4.splat(0.04416331134901975),
  f32x4.splat(-0.056141116149351376),
  f32x4.splat(-0.08173967288388416),
  f32x4.splat(0.0818708923565247),
  f32x4.splat(0.2843957734428853),
  f32x4.splat(0.3429916083649934),
  f32x4.splat(0.2532442768127959),
], 16);

/** e^r for |r| ≤ ½·ln 2: 1 + r + r²·P(r), P of degree 4. */
@inline
function expNearZero(r: v128): v128 {
  let p = constant(EXP);
  p = multiplyAdd(constant(EXP, 1), p, r);
  p = multiplyAdd(constant(EXP, 2), p, r);
  p = multiplyAdd(constant(EXP, 3), p, r);
  p = multiplyAdd(constant(EXP, 4), p, r);
  return f32x4.add(constant(ONE), f32x4.add(r, f32x4.mul(f32x4.mul(r, r), p)));
}

/** x − n·ln 2. */
@inline
function lessMultipleOfLn2(x: v128, n: v128): v128 {
  return f32x4.sub(
    f32x4.sub(x, f32x4.mul(n, constant(LN2_HIGH))),
    f32x4.mul(n, constant(LN2_LOW)),
  );
}

/** e^x over the whole range, including gradual underflow and overflow to ∞. Error: 0.96 ulp. */
@inline
export function exp(x: v128): v128 {
  // Outside this range, e^x is 0 or ∞ in single precision. NaN passes because every comparison with it is false.
  const inside = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-104)), f32x4.splat(89));
  const rounded = f32x4.add(f32x4.mul(inside, constant(LOG2_E)), constant(ROUNDER));
  const r = lessMultipleOfLn2(inside, f32x4.sub(rounded, constant(ROUNDER)));
  const n = i32x4.sub(rounded, constant(ROUNDER));
  // 2ⁿ in two factors: near the ends of the range, 2ⁿ alone is not a normal number.
  const half = i32x4.shr_s(n, 1);
  const scaled = f32x4.mul(expNearZero(r), powerOfTwo(half));
  return f32x4.mul(scaled, powerOfTwo(i32x4.sub(n, half)));
}

/**
 * e^x for x ≤ 0 (and up to 88), which is what softmax needs. Error: 0.96 ulp; below 2^−126.5 the result is 0. `exp`
 * takes half again as long.
 */
@inline
export function expOfNegative(x: v128): v128 {
  // The rounder includes the exponent bias, 127. At −88 the biased exponent is 0, so 2ⁿ reads as 0.
  const rounder = constant(BIASED_ROUNDER);
  const inside = f32x4.pmax(x, constant(MINUS_88));
  const rounded = f32x4.add(f32x4.mul(inside, constant(LOG2_E)), rounder);
  const r = lessMultipleOfLn2(inside, f32x4.sub(rounded, rounder));
  return f32x4.mul(expNearZero(r), i32x4.shl(rounded, 23));
}

/** 2ⁿ for integer n in −126 … 127. */
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/**
 * ln x. −∞ at 0, NaN below 0; handles subnormal numbers. Error: 0.84 ulp.
 *
 * With x = 2ⁿ·(1 + f), √½ ≤ 1 + f < √2: ln x = n·ln 2 + f − f²/2 + f³·P(f), P of degree 8.
 */
@inline
export function log(x: v128): v128 {
  const subnormal = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const normal = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, subnormal);
  const aboveRootHalf = i32x4.sub(normal, i32x4.splat(0x3f3504f3));
  const shift = v128.and(subnormal, i32x4.splat(23));
  const n = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_s(aboveRootHalf, 23), shift));
  const mantissa = i32x4.add(v128.and(aboveRootHalf, i32x4.splat(0x7fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(mantissa, constant(ONE));
  let p = constant(LOG);
  p = multiplyAdd(constant(LOG, 1), p, f);
  p = multiplyAdd(constant(LOG, 2), p, f);
  p = multiplyAdd(constant(LOG, 3), p, f);
  p = multiplyAdd(constant(LOG, 4), p, f);
  p = multiplyAdd(constant(LOG, 5), p, f);
  p = multiplyAdd(constant(LOG, 6), p, f);
  p = multiplyAdd(constant(LOG, 7), p, f);
  p = multiplyAdd(constant(LOG, 8), p, f);
  const f2 = f32x4.mul(f, f);
  let small = f32x4.mul(f32x4.mul(f, f2), p);
  small = f32x4.add(small, f32x4.mul(n, constant(LN2_LOW)));
  small = f32x4.sub(small, f32x4.mul(f2, constant(HALF)));
  let y = f32x4.add(f32x4.add(small, f), f32x4.mul(n, constant(LN2_HIGH)));
  y = v128.bitselect(y, x, f32x4.lt(x, f32x4.splat(Infinity)));
  y = v128.bitselect(y, f32x4.splat(-Infinity), f32x4.ne(x, f32x4.splat(0)));
  // All bits set is a NaN.
  return v128.or(y, f32x4.lt(x, f32x4.splat(0)));
}

/**
 * tanh x. Error: 1.6 ulp; exactly ±1 for |x| ≥ 9.02.
 *
 * (1 − e^{−2|x|}) / (1 + e^{−2|x|}); below 0.625, where that form cancels, x + x³·P(x²) with P of degree 4.
 */
@inline
export function tanh(x: v128): v128 {
  const magnitude = f32x4.abs(x);
  const e = expOfNegative(f32x4.mul(magnitude, constant(MINUS_TWO)));
  const far = f32x4.div(f32x4.sub(constant(ONE), e), f32x4.add(constant(ONE), e));
  const x2 = f32x4.mul(x, x);
  let p = constant(TANH);
  p = multiplyAdd(constant(TANH, 1), p, x2);
  p = multiplyAdd(constant(TANH, 2), p, x2);
  p = multiplyAdd(constant(TANH, 3), p, x2);
  p = multiplyAdd(constant(TANH, 4), p, x2);
  const near = f32x4.add(magnitude, f32x4.mul(f32x4.mul(magnitude, x2), p));
  const y = v128.bitselect(near, far, f32x4.lt(magnitude, f32x4.splat(0.625)));
  return v128.or(y, v128.and(x, f32x4.splat(-0.0)));
}

/**
 * e^{−a²/2} for 0 ≤ a ≤ 16.
 *
 * a² needs more precision than one rounding leaves, because an absolute error in the exponent becomes a relative
 * error in the power. With h the upper 12 bits of a: a²/2 = h²/2 + (a − h)(a + h)/2, and h² is exact.
 */
@inline
export function bell(a: v128): v128 {
  const half = constant(MINUS_HALF);
  const h = v128.and(a, i32x4.splat(0xfffff000));
  const high = f32x4.mul(half, f32x4.mul(h, h));
  const low = f32x4.mul(half, f32x4.mul(f32x4.sub(a, h), f32x4.add(a, h)));
  const rounder = constant(BIASED_ROUNDER);
  const inside = f32x4.pmax(high, constant(MINUS_88));
  const rounded = f32x4.add(f32x4.mul(inside, constant(LOG2_E)), rounder);
  const r = f32x4.add(lessMultipleOfLn2(inside, f32x4.sub(rounded, rounder)), low);
  return f32x4.mul(expNearZero(r), i32x4.shl(rounded, 23));
}

/**
 * Φ(−a) / e^{−a²/2} for 0 ≤ a ≤ 16, with Φ the cumulative distribution function of the normal distribution. Error of
 * the product of both, Φ(−a): 6.1 ulp.
 *
 * The quotient is smooth and falls from ½ like 1/a, so it is computed as t·P(t − ½) with t = 1/(1 + 0.35·a) and P of
 * degree 8. This keeps the digits of 1 − Φ, and of erfc, arbitrarily far out in the tail.
 */
@inline
export function tailOverBell(a: v128): v128 {
  const one = constant(ONE);
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(constant(SHRINKING), a)));
  const u = f32x4.sub(t, constant(HALF));
  let p = constant(TAIL);
  p = multiplyAdd(constant(TAIL, 1), p, u);
  p = multiplyAdd(constant(TAIL, 2), p, u);
  p = multiplyAdd(constant(TAIL, 3), p, u);
  p = multiplyAdd(constant(TAIL, 4), p, u);
  p = multiplyAdd(constant(TAIL, 5), p, u);
  p = multiplyAdd(constant(TAIL, 6), p, u);
  p = multiplyAdd(constant(TAIL, 7), p, u);
  p = multiplyAdd(constant(TAIL, 8), p, u);
  return f32x4.mul(t, p);
}
