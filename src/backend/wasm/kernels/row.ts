/**
 * Sums and maxima of one row. The row's length alone determines the order of summation: sixteen partial sums side by
 * side, combined at the end or as they accumulate. So the bits do not depend on what else is computed at the same
 * time, and the rounding error grows with a sixteenth of the length.
 *
 * Sums over a row of attention weights run in ascending order instead. There, zeros at any position change no bits,
 * so a row is the same no matter how many hidden columns it has, or where.
 */
import { expOfNegative } from "./math";
import { at, loadPart, maxLanes, putSixteen, storePart, sumLanes } from "./vector";

const PLAIN = 0;
const SQUARED_DEVIATION = 1;

/** Σ x. */
@inline
export function rowSum(x: usize, columns: i32): f32 {
  return total(PLAIN, x, 0, columns);
}

/** Σ (x − center)². */
@inline
export function rowSquaredDeviation(x: usize, center: f32, columns: i32): f32 {
  return total(SQUARED_DEVIATION, x, center, columns);
}

/** The largest number; −∞ if there are none. May ignore NaN: callers that need it must detect it in a sum. */
@inline
export function rowMax(x: usize, columns: i32): f32 {
  let max0 = f32x4.splat(-Infinity);
  let max1 = max0;
  let j = 0;
  for (; j <= columns - 8; j += 8) {
    max0 = f32x4.pmax(max0, v128.load(at(x, j)));
    max1 = f32x4.pmax(max1, v128.load(at(x, j), 16));
  }
  if (j <= columns - 4) {
    max0 = f32x4.pmax(max0, v128.load(at(x, j)));
    j += 4;
  }
  if (j < columns) max1 = f32x4.pmax(max1, loadPart(at(x, j), columns - j, -Infinity));
  return maxLanes(f32x4.pmax(max0, max1));
}

/** Σ exp(x − shift), for x ≤ shift. */
@inline
export function rowExpSum(x: usize, shift: f32, columns: i32): f32 {
  return expSum(false, 0, x, shift, columns);
}

/** y = exp(x − shift) for x ≤ shift; returns Σ y, summed in ascending order. */
@inline
export function rowExpAndSum(y: usize, x: usize, shift: f32, columns: i32): f32 {
  expSum(true, y, x, shift, columns);
  let sum: f32 = 0;
  for (let j = 0; j < columns; j++) sum += f32.load(at(y, j));
  return sum;
}

/** Σ a·b in ascending order. */
@inline
export function rowDotInOrder(a: usize, b: usize, columns: i32): f32 {
  let sum: f32 = 0;
  for (let j = 0; j < columns; j++) sum += f32.load(at(a, j)) * f32.load(at(b, j));
  return sum;
}

/** Inlined with a constant `keep`: whether to store y. */
@inline
function expSum(keep: bool, y: usize, x: usize, shift: f32, columns: i32): f32 {
  const shifts = f32x4.splat(shift);
  let sum = f32x4.splat(0);
  let j = 0;
  // Four vectors at a time share the constants, which engines reload on every loop iteration.
  for (; j <= columns - 16; j += 16) {
    const from = at(x, j);
    const a = expOfNegative(f32x4.sub(v128.load(from), shifts));
    const b = expOfNegative(f32x4.sub(v128.load(from, 16), shifts));
    const c = expOfNegative(f32x4.sub(v128.load(from, 32), shifts));
    const d = expOfNegative(f32x4.sub(v128.load(from, 48), shifts));
    if (keep) putSixteen(at(y, j), a, b, c, d, false);
    sum = f32x4.add(sum, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  }
  for (; j <= columns - 4; j += 4) {
    const e = expOfNegative(f32x4.sub(v128.load(at(x, j)), shifts));
    if (keep) v128.store(at(y, j), e);
    sum = f32x4.add(sum, e);
  }
  if (j < columns) {
    const e = expOfNegative(f32x4.sub(loadPart(at(x, j), columns - j, -Infinity), shifts));
    if (keep) storePart(at(y, j), e, columns - j);
    sum = f32x4.add(sum, e);
  }
  return sumLanes(sum);
}

/** The number to subtract from a row before exp: its maximum, or 0 if that is −∞ (nothing is visible). */
@inline
export function shiftOf(max: f32): f32 {
  return max == -Infinity ? 0 : max;
}

/** Inlined with a constant `kind`. */
@inline
function total(kind: i32, x: usize, center: f32, columns: i32): f32 {
  const centers = f32x4.splat(center);
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let j = 0;
  for (; j <= columns - 16; j += 16) {
    const from = at(x, j);
    sum0 = f32x4.add(sum0, term(kind, v128.load(from), centers));
    sum1 = f32x4.add(sum1, term(kind, v128.load(from, 16), centers));
    sum2 = f32x4.add(sum2, term(kind, v128.load(from, 32), centers));
    sum3 = f32x4.add(sum3, term(kind, v128.load(from, 48), centers));
  }
  for (; j <= columns - 4; j += 4) sum0 = f32x4.add(sum0, term(kind, v128.load(at(x, j)), centers));
  if (j < columns) sum1 = f32x4.add(sum1, term(kind, loadPart(at(x, j), columns - j, center), centers));
  return sumLanes(f32x4.add(f32x4.add(sum0, sum1), f32x4.add(sum2, sum3)));
}

@inline
function term(kind: i32, x: v128, centers: v128): v128 {
  if (kind == PLAIN) return x;
  const deviation = f32x4.sub(x, centers);
  return f32x4.mul(deviation, deviation);
}
