/**
 * Functions of two numbers, and scaling, for elements begin … end−1. `y` may be `a` or `b` itself. A shorter `b` is
 * repeated; `period` is its length.
 */
import { at, loadPart, put, putPart } from "./vector";

const ADD = 0;
const SUBTRACT = 1;
const MULTIPLY = 2;
const DIVIDE = 3;

export function binaryAdd(
  y: usize, a: usize, b: usize, period: i32, accumulate: bool, begin: i32, end: i32,
): void {
  zipEach(ADD, y, a, b, period, accumulate, begin, end);
}

export function binarySubtract(
  y: usize, a: usize, b: usize, period: i32, accumulate: bool, begin: i32, end: i32,
): void {
  zipEach(SUBTRACT, y, a, b, period, accumulate, begin, end);
}

export function binaryMultiply(
  y: usize, a: usize, b: usize, period: i32, accumulate: bool, begin: i32, end: i32,
): void {
  zipEach(MULTIPLY, y, a, b, period, accumulate, begin, end);
}

export function binaryDivide(
  y: usize, a: usize, b: usize, period: i32, accumulate: bool, begin: i32, end: i32,
): void {
  zipEach(DIVIDE, y, a, b, period, accumulate, begin, end);
}

/** y = factor·x. */
export function scale(y: usize, x: usize, factor: f32, accumulate: bool, begin: i32, end: i32): void {
  const factors = f32x4.splat(factor);
  let i = begin;
  for (; i <= end - 4; i += 4) put(at(y, i), f32x4.mul(v128.load(at(x, i)), factors), accumulate);
  if (i < end) putPart(at(y, i), f32x4.mul(loadPart(at(x, i), end - i, 0), factors), end - i, accumulate);
}

/** y = f(a, b). Inlined with a constant name, so each export is a loop around a single function. */
@inline
function zipEach(
  name: i32, y: usize, a: usize, b: usize, period: i32, accumulate: bool, begin: i32, end: i32,
): void {
  for (let i = begin; i < end; ) {
    const turn = i - i % period;
    const stop = min(end, turn + period);
    const other = at(b, -turn);
    for (; i <= stop - 4; i += 4) {
      put(at(y, i), value(name, v128.load(at(a, i)), v128.load(at(other, i))), accumulate);
    }
    if (i < stop) {
      const part = value(name, loadPart(at(a, i), stop - i, 0), loadPart(at(other, i), stop - i, 1));
      putPart(at(y, i), part, stop - i, accumulate);
      i = stop;
    }
  }
}

@inline
function value(name: i32, a: v128, b: v128): v128 {
  if (name == ADD) return f32x4.add(a, b);
  if (name == SUBTRACT) return f32x4.sub(a, b);
  if (name == MULTIPLY) return f32x4.mul(a, b);
  return f32x4.div(a, b);
}
