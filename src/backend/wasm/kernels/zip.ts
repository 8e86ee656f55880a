/** Functions of two numbers, and scaling, for elements begin … end−1. `y` may be `a` or `b` itself. */
import { at, loadPart, put, putPart } from "./vector";

const ADD = 0;
const SUBTRACT = 1;
const MULTIPLY = 2;
const DIVIDE = 3;

export function zipAdd(y: usize, a: usize, b: usize, accumulate: bool, begin: i32, end: i32): void {
  zipEach(ADD, y, a, b, accumulate, begin, end);
}

export function zipSubtract(y: usize, a: usize, b: usize, accumulate: bool, begin: i32, end: i32): void {
  zipEach(SUBTRACT, y, a, b, accumulate, begin, end);
}

export function zipMultiply(y: usize, a: usize, b: usize, accumulate: bool, begin: i32, end: i32): void {
  zipEach(MULTIPLY, y, a, b, accumulate, begin, end);
}

export function zipDivide(y: usize, a: usize, b: usize, accumulate: bool, begin: i32, end: i32): void {
  zipEach(DIVIDE, y, a, b, accumulate, begin, end);
}

/** y = factor·x. */
export function scale(y: usize, x: usize, factor: f32, accumulate: bool, begin: i32, end: i32): void {
  const factors = f32x4.splat(factor);
  let i = begin;
  for (; i <= end - 4; i += 4) put(at(y, i), f32x4.mul(v128.load(at(x, i)), factors), accumulate);
  if (i < end) putPart(at(y, i), f32x4.mul(loadPart(at(x, i), end - i, 0), factors), end - i, accumulate);
}

/** y = f(a, b). Inlined with a constant name, so that each export is a loop around one function. */
@inline
function zipEach(name: i32, y: usize, a: usize, b: usize, accumulate: bool, begin: i32, end: i32): void {
  let i = begin;
  for (; i <= end - 4; i += 4) {
    put(at(y, i), value(name, v128.load(at(a, i)), v128.load(at(b, i))), accumulate);
  }
  if (i < end) {
    const part = value(name, loadPart(at(a, i), end - i, 0), loadPart(at(b, i), end - i, 1));
    putPart(at(y, i), part, end - i, accumulate);
  }
}

@inline
function value(name: i32, a: v128, b: v128): v128 {
  if (name == ADD) return f32x4.add(a, b);
  if (name == SUBTRACT) return f32x4.sub(a, b);
  if (name == MULTIPLY) return f32x4.mul(a, b);
  return f32x4.div(a, b);
}
