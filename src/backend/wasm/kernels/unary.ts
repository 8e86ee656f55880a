/**
 * Functions of one number, applied to elements begin … end−1, and their derivatives. For the formulas, see
 * ../../reference/unary.ts.
 */
import { constant } from "./constants";
import { bell, exp, expOfNegative, log, tailOverBell, tanh } from "./math";
import { at, loadPart, loadSome, put, putPart, putSixteen, putSome, storePart } from "./vector";

const EXP = 0;
const LOG = 1;
const SQRT = 2;
const TANH = 3;
const RELU = 4;
const GELU = 5;
const GELU_TANH = 6;
const RELU2 = 7;
const SILU = 8;

const ONE_OVER_SQRT_TWO_PI: usize = memory.data<v128>([f32x4.splat(0.3989422804014327)], 16);
const SQRT_TWO_OVER_PI: f32 = 0.7978845608028654;
/** The inner function of GELU's tanh form, doubled: coefficients of x and x³, and three times the latter. */
const INNER: usize = memory.data<v128>([
  f32x4.splat(2 * SQRT_TWO_OVER_PI),
  f32x4.splat(2 * SQRT_TWO_OVER_PI * 0.044715),
  f32x4.splat(6 * SQRT_TWO_OVER_PI * 0.044715),
], 16);
const ONE: usize = memory.data<v128>([f32x4.splat(1)], 16);
/** The point on the left beyond which GELU is 0, and on the right beyond which GELU(x) is x. */
const FAR_LEFT: usize = memory.data<v128>([f32x4.splat(-16)], 16);
const FAR_RIGHT: usize = memory.data<v128>([f32x4.splat(16)], 16);

export function unaryExp(y: usize, x: usize, begin: i32, end: i32): void {
  mapEach(EXP, y, x, begin, end);
}

export function unaryLog(y: usize, x: usize, begin: i32, end: i32): void {
  mapEach(LOG, y, x, begin, end);
}

export function unarySqrt(y: usize, x: usize, begin: i32, end: i32): void {
  mapEach(SQRT, y, x, begin, end);
}

export function unaryTanh(y: usize, x: usize, begin: i32, end: i32): void {
  mapEach(TANH, y, x, begin, end);
}

export function unaryRelu(y: usize, x: usize, begin: i32, end: i32): void {
  mapEach(RELU, y, x, begin, end);
}

export function unaryRelu2(y: usize, x: usize, begin: i32, end: i32): void {
  mapEach(RELU2, y, x, begin, end);
}

export function unarySilu(y: usize, x: usize, begin: i32, end: i32): void {
  mapEach(SILU, y, x, begin, end);
}

export function unaryGelu(y: usize, x: usize, begin: i32, end: i32): void {
  mapEach(GELU, y, x, begin, end);
}

export function unaryGeluTanh(y: usize, x: usize, begin: i32, end: i32): void {
  mapEach(GELU_TANH, y, x, begin, end);
}

export function unaryExpBackward(
  dx: usize, dy: usize, x: usize, y: usize, accumulate: bool, begin: i32, end: i32,
): void {
  derivativeEach(EXP, dx, dy, x, y, accumulate, begin, end);
}

export function unaryLogBackward(
  dx: usize, dy: usize, x: usize, y: usize, accumulate: bool, begin: i32, end: i32,
): void {
  derivativeEach(LOG, dx, dy, x, y, accumulate, begin, end);
}

export function unarySqrtBackward(
  dx: usize, dy: usize, x: usize, y: usize, accumulate: bool, begin: i32, end: i32,
): void {
  derivativeEach(SQRT, dx, dy, x, y, accumulate, begin, end);
}

export function unaryTanhBackward(
  dx: usize, dy: usize, x: usize, y: usize, accumulate: bool, begin: i32, end: i32,
): void {
  derivativeEach(TANH, dx, dy, x, y, accumulate, begin, end);
}

export function unaryReluBackward(
  dx: usize, dy: usize, x: usize, y: usize, accumulate: bool, begin: i32, end: i32,
): void {
  derivativeEach(RELU, dx, dy, x, y, accumulate, begin, end);
}

export function unaryRelu2Backward(
  dx: usize, dy: usize, x: usize, y: usize, accumulate: bool, begin: i32, end: i32,
): void {
  derivativeEach(RELU2, dx, dy, x, y, accumulate, begin, end);
}

export function unarySiluBackward(
  dx: usize, dy: usize, x: usize, y: usize, accumulate: bool, begin: i32, end: i32,
): void {
  derivativeEach(SILU, dx, dy, x, y, accumulate, begin, end);
}

export function unaryGeluBackward(
  dx: usize, dy: usize, x: usize, y: usize, accumulate: bool, begin: i32, end: i32,
): void {
  derivativeEach(GELU, dx, dy, x, y, accumulate, begin, end);
}

export function unaryGeluTanhBackward(
  dx: usize, dy: usize, x: usize, y: usize, accumulate: bool, begin: i32, end: i32,
): void {
  derivativeEach(GELU_TANH, dx, dy, x, y, accumulate, begin, end);
}

export function geluWithDerivative(y: usize, derivative: usize, x: usize, begin: i32, end: i32): void {
  bothEach(GELU, y, derivative, x, begin, end);
}

export function geluTanhWithDerivative(y: usize, derivative: usize, x: usize, begin: i32, end: i32): void {
  bothEach(GELU_TANH, y, derivative, x, begin, end);
}

/** y = f(x). Inlined with a constant name, so each export is a loop around a single function. */
@inline
function mapEach(name: i32, y: usize, x: usize, begin: i32, end: i32): void {
  let i = begin;
  // Four vectors at a time share the constants, which engines reload on every loop iteration.
  for (; i <= end - 16; i += 16) {
    const from = at(x, i);
    const a = value(name, v128.load(from));
    const b = value(name, v128.load(from, 16));
    const c = value(name, v128.load(from, 32));
    const d = value(name, v128.load(from, 48));
    putSixteen(at(y, i), a, b, c, d, false);
  }
  for (; i <= end - 4; i += 4) v128.store(at(y, i), value(name, v128.load(at(x, i))));
  if (i < end) storePart(at(y, i), value(name, loadPart(at(x, i), end - i, 1)), end - i);
}

/** dx = dy·f′(x), where y = f(x). */
@inline
function derivativeEach(
  name: i32, dx: usize, dy: usize, x: usize, y: usize, accumulate: bool, begin: i32, end: i32,
): void {
  let i = begin;
  for (; i <= end - 16; i += 16) {
    const a = derivativeOf(name, v128.load(at(dy, i)), v128.load(at(x, i)), v128.load(at(y, i)));
    const b = derivativeOf(name, v128.load(at(dy, i), 16), v128.load(at(x, i), 16), v128.load(at(y, i), 16));
    const c = derivativeOf(name, v128.load(at(dy, i), 32), v128.load(at(x, i), 32), v128.load(at(y, i), 32));
    const d = derivativeOf(name, v128.load(at(dy, i), 48), v128.load(at(x, i), 48), v128.load(at(y, i), 48));
    putSixteen(at(dx, i), a, b, c, d, accumulate);
  }
  for (; i <= end - 4; i += 4) {
    const derivative = derivativeOf(name, v128.load(at(dy, i)), v128.load(at(x, i)), v128.load(at(y, i)));
    put(at(dx, i), derivative, accumulate);
  }
  if (i < end) {
    const left = end - i;
    const derivative = derivativeOf(
      name, loadPart(at(dy, i), left, 0), loadPart(at(x, i), left, 1), loadPart(at(y, i), left, 1),
    );
    putPart(at(dx, i), derivative, left, accumulate);
  }
}

/** y = f(x) and derivative = f′(x), with the bits of `mapEach` and `derivativeEach`. `derivative` may be `x` itself. */
@inline
function bothEach(name: i32, y: usize, derivative: usize, x: usize, begin: i32, end: i32): void {
  let i = begin;
  for (; i <= end - 16; i += 16) {
    both(name, at(y, i), at(derivative, i), at(x, i), 4);
    both(name, at(y, i + 4), at(derivative, i + 4), at(x, i + 4), 4);
    both(name, at(y, i + 8), at(derivative, i + 8), at(x, i + 8), 4);
    both(name, at(y, i + 12), at(derivative, i + 12), at(x, i + 12), 4);
  }
  for (; i < end; i += 4) both(name, at(y, i), at(derivative, i), at(x, i), min(end - i, 4));
}

/** GELU and its derivative of 1 … 4 numbers. */
@inline
function both(name: i32, y: usize, derivative: usize, x: usize, count: i32): void {
  const clamped = f32x4.pmax(loadSome(x, count), constant(FAR_LEFT));
  const inside = f32x4.pmin(clamped, constant(FAR_RIGHT));
  if (name == GELU) {
    const a = f32x4.abs(inside);
    const b = bell(a);
    const below = reflect(inside, f32x4.mul(b, tailOverBell(a)));
    const density = f32x4.mul(b, constant(ONE_OVER_SQRT_TWO_PI));
    putSome(derivative, f32x4.add(below, f32x4.mul(inside, density)), count, false);
    putSome(y, f32x4.mul(clamped, below), count, false);
  } else {
    const z = geluInner(inside);
    const e = expOfMinusAbs(z);
    putSome(derivative, geluTanhDerivative(inside, z, e), count, false);
    putSome(y, f32x4.mul(clamped, sigmoid(z, e)), count, false);
  }
}

@inline
function value(name: i32, x: v128): v128 {
  if (name == EXP) return exp(x);
  if (name == LOG) return log(x);
  if (name == SQRT) return f32x4.sqrt(x);
  if (name == TANH) return tanh(x);
  // Zero for x ≤ 0; keeps NaN.
  if (name == RELU || name == RELU2) {
    const above = v128.andnot(x, f32x4.le(x, f32x4.splat(0)));
    return name == RELU ? above : f32x4.mul(above, above);
  }
  if (name == SILU) {
    // Below −104 the second factor is 0, so the clamp makes −∞ give 0 too.
    const above = f32x4.pmax(x, f32x4.splat(-104));
    return f32x4.mul(above, sigmoid(above, expOfMinusAbs(above)));
  }
  // Below −16 the second factor is 0, so the clamp makes −∞ give 0 too.
  const clamped = f32x4.pmax(x, constant(FAR_LEFT));
  if (name == GELU) return f32x4.mul(clamped, normalBelow(clamped));
  const z = geluInner(clamped);
  return f32x4.mul(clamped, sigmoid(z, expOfMinusAbs(z)));
}

/** dy·f′(x), computed from x or from y = f(x), whichever is cheaper. */
@inline
function derivativeOf(name: i32, dy: v128, x: v128, y: v128): v128 {
  if (name == EXP) return f32x4.mul(dy, y);
  if (name == LOG) return f32x4.div(dy, x);
  if (name == SQRT) return f32x4.div(f32x4.mul(dy, f32x4.splat(0.5)), y);
  if (name == TANH) return f32x4.mul(dy, f32x4.sub(constant(ONE), f32x4.mul(y, y)));
  if (name == RELU) return f32x4.mul(dy, v128.and(constant(ONE), f32x4.gt(x, f32x4.splat(0))));
  if (name == RELU2) {
    // 2·dy instead of 2·x, which could overflow.
    return f32x4.mul(f32x4.add(dy, dy), v128.and(x, f32x4.gt(x, f32x4.splat(0))));
  }
  if (name == SILU) {
    return f32x4.mul(dy, siluDerivative(f32x4.pmin(f32x4.pmax(x, f32x4.splat(-104)), f32x4.splat(104))));
  }
  const clamped = f32x4.pmin(f32x4.pmax(x, constant(FAR_LEFT)), constant(FAR_RIGHT));
  if (name == GELU) return f32x4.mul(dy, geluDerivative(clamped));
  const z = geluInner(clamped);
  return f32x4.mul(dy, geluTanhDerivative(clamped, z, expOfMinusAbs(z)));
}

/** Φ(x) for −16 ≤ x. */
@inline
function normalBelow(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), constant(FAR_RIGHT));
  return reflect(x, f32x4.mul(bell(a), tailOverBell(a)));
}

/** Φ(x) + x·e^{−x²/2}/√(2π) for |x| ≤ 16. */
@inline
function geluDerivative(x: v128): v128 {
  const a = f32x4.abs(x);
  const b = bell(a);
  const density = f32x4.mul(b, constant(ONE_OVER_SQRT_TWO_PI));
  return f32x4.add(reflect(x, f32x4.mul(b, tailOverBell(a))), f32x4.mul(x, density));
}

/** `below` if x is negative, otherwise 1 − below: F(x) from F(−|x|) of a symmetric distribution. */
@inline
function reflect(x: v128, below: v128): v128 {
  return v128.bitselect(below, f32x4.sub(constant(ONE), below), f32x4.lt(x, f32x4.splat(0)));
}

/** 2u(x) = 2·√(2/π)·(x + 0.044715·x³): GELU's tanh form is x·σ(2u). */
@inline
function geluInner(x: v128): v128 {
  const cubic = f32x4.mul(f32x4.mul(x, x), constant(INNER, 1));
  return f32x4.mul(x, f32x4.add(constant(INNER), cubic));
}

/** e^{−|z|}, used to compute both σ(z) and its derivative. */
@inline
function expOfMinusAbs(z: v128): v128 {
  return expOfNegative(f32x4.neg(f32x4.abs(z)));
}

/**
 * σ(z) = 1/(1 + e^{−z}) without overflow. Uses e^z/(1 + e^z) for negative z, which keeps the digits of the left tail.
 */
@inline
function sigmoid(z: v128, e: v128): v128 {
  const numerator = v128.bitselect(e, constant(ONE), f32x4.lt(z, f32x4.splat(0)));
  return f32x4.div(numerator, f32x4.add(constant(ONE), e));
}

/** σ(x) + x·σ′(x), with σ′(x) = e/(1 + e)² and e = e^{−|x|}. */
@inline
function siluDerivative(x: v128): v128 {
  const e = expOfMinusAbs(x);
  const inverse = f32x4.div(constant(ONE), f32x4.add(constant(ONE), e));
  const below = f32x4.mul(v128.bitselect(e, constant(ONE), f32x4.lt(x, f32x4.splat(0))), inverse);
  return f32x4.add(below, f32x4.mul(x, f32x4.mul(f32x4.mul(e, inverse), inverse)));
}

/** σ(z) + x·σ′(z)·z′ at z = 2u(x), with σ′(z) = e/(1 + e)² and e = e^{−|z|}. */
@inline
function geluTanhDerivative(x: v128, z: v128, e: v128): v128 {
  const inverse = f32x4.div(constant(ONE), f32x4.add(constant(ONE), e));
  const below = f32x4.mul(v128.bitselect(e, constant(ONE), f32x4.lt(z, f32x4.splat(0))), inverse);
  const bump = f32x4.mul(f32x4.mul(e, inverse), inverse);
  const square = f32x4.mul(f32x4.mul(x, x), constant(INNER, 2));
  const derivative = f32x4.add(constant(INNER), square);
  return f32x4.add(below, f32x4.mul(f32x4.mul(x, derivative), bump));
}
