/** Softmax and log-softmax of rows begin … end−1. For the formulas, see ../../reference/softmax.ts. */
import { expOfNegative, log } from "./math";
import { rowDotInOrder, rowExpAndSum, rowExpSum, rowMax, rowSum, shiftOf } from "./row";
import { at, loadPart, put, putPart, storePart } from "./vector";

/**
 * Row r sees all columns; with `staircase`, only the first columns − rows + 1 + (r mod rows). Hidden entries become
 * 0. A row that sees only −∞ has sum 0 and becomes all zeros. NaN and +∞ propagate through the sum.
 */
export function softmaxRows(
  y: usize, x: usize, rows: i32, columns: i32, staircase: bool, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const seen = staircase ? columns - rows + 1 + row % rows : columns;
    const from = at(x, row * columns);
    const to = at(y, row * columns);
    const sum = rowExpAndSum(to, from, shiftOf(rowMax(from, seen)), seen);
    const factor = sum == 0 ? <f32>0 : <f32>1 / sum;
    scaleRow(to, factor, seen);
    memory.fill(at(to, seen), 0, <usize>(columns - seen) << 2);
  }
}

/** dx = y·(dy − ⟨dy, y⟩). */
export function softmaxRowsBackward(
  dx: usize, dy: usize, y: usize, columns: i32, accumulate: bool, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const to = at(dx, row * columns);
    const derivative = at(dy, row * columns);
    const weight = at(y, row * columns);
    const dot = f32x4.splat(rowDotInOrder(derivative, weight, columns));
    let j = 0;
    for (; j <= columns - 4; j += 4) {
      const centered = f32x4.sub(v128.load(at(derivative, j)), dot);
      put(at(to, j), f32x4.mul(v128.load(at(weight, j)), centered), accumulate);
    }
    if (j < columns) {
      const left = columns - j;
      const centered = f32x4.sub(loadPart(at(derivative, j), left, 0), dot);
      putPart(at(to, j), f32x4.mul(loadPart(at(weight, j), left, 0), centered), left, accumulate);
    }
  }
}

/** y = (x − max) − log Σ exp(x − max). */
export function logSoftmaxRows(y: usize, x: usize, columns: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const from = at(x, row * columns);
    const to = at(y, row * columns);
    const shift = shiftOf(rowMax(from, columns));
    const shifts = f32x4.splat(shift);
    const logSum = log(f32x4.splat(rowExpSum(from, shift, columns)));
    let j = 0;
    for (; j <= columns - 4; j += 4) {
      v128.store(at(to, j), f32x4.sub(f32x4.sub(v128.load(at(from, j)), shifts), logSum));
    }
    if (j < columns) {
      const part = f32x4.sub(f32x4.sub(loadPart(at(from, j), columns - j, 0), shifts), logSum);
      storePart(at(to, j), part, columns - j);
    }
  }
}

/** dx = dy − exp(y)·Σ dy. */
export function logSoftmaxRowsBackward(
  dx: usize, dy: usize, y: usize, columns: i32, accumulate: bool, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const to = at(dx, row * columns);
    const derivative = at(dy, row * columns);
    const value = at(y, row * columns);
    const sum = f32x4.splat(rowSum(derivative, columns));
    let j = 0;
    for (; j <= columns - 4; j += 4) {
      const share = f32x4.mul(expOfNegative(v128.load(at(value, j))), sum);
      put(at(to, j), f32x4.sub(v128.load(at(derivative, j)), share), accumulate);
    }
    if (j < columns) {
      const left = columns - j;
      const share = f32x4.mul(expOfNegative(loadPart(at(value, j), left, 0)), sum);
      putPart(at(to, j), f32x4.sub(loadPart(at(derivative, j), left, 0), share), left, accumulate);
    }
  }
}

@inline
function scaleRow(y: usize, factor: f32, columns: i32): void {
  const factors = f32x4.splat(factor);
  let j = 0;
  for (; j <= columns - 4; j += 4) v128.store(at(y, j), f32x4.mul(v128.load(at(y, j)), factors));
  if (j < columns) storePart(at(y, j), f32x4.mul(loadPart(at(y, j), columns - j, 0), factors), columns - j);
}
