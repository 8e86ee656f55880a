/** Softmax and log-softmax of rows. */
import { exp, log } from "../../math.ts";
import type { Buffer, Mask, MatrixSize, WriteTarget } from "../backend.ts";
import { type Numbers, numbersOf, putInto } from "./buffer.ts";

/** How many columns, from the left, row `row` of a (rows, columns) matrix sees. */
export function visibleColumns(mask: Mask, row: number, rows: number, columns: number): number {
  return mask === "full" ? columns : columns - rows + row + 1;
}

/**
 * The maximum of x[start … start+count) and Σ exp(x − max), which cannot overflow. Without numbers above −∞ there is
 * nothing to see: max = −∞ and sum = 0. With a NaN or +∞, sum = NaN.
 */
export function maxAndSum(xs: Numbers, start: number, count: number): { max: number; sum: number } {
  let max = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < count; j++) if (xs[start + j] > max) max = xs[start + j];
  // −∞ − (−∞) would be NaN.
  const shift = max === Number.NEGATIVE_INFINITY ? 0 : max;
  let sum = 0;
  for (let j = 0; j < count; j++) sum += exp(xs[start + j] - shift);
  return { max, sum };
}

/**
 * y[i, j] = exp(x[i, j] − max) / Σ exp(x[i, ·] − max) over the columns that row i sees; hidden entries are 0.
 * A row that sees only −∞ is all zeros.
 */
export function softmaxRows(y: Buffer, x: Buffer, size: MatrixSize, mask: Mask): void {
  const { count, rows, columns } = size;
  const [ys, xs] = [numbersOf(y), numbersOf(x)];
  for (let row = 0; row < count * rows; row++) {
    const start = row * columns;
    const seen = visibleColumns(mask, row % rows, rows, columns);
    const { max, sum } = maxAndSum(xs, start, seen);
    for (let j = 0; j < columns; j++) {
      ys[start + j] = j < seen && sum !== 0 ? exp(xs[start + j] - max) / sum : 0;
    }
  }
}

/** dx[i, j] = y[i, j]·(dy[i, j] − Σ_s dy[i, s]·y[i, s]). */
export function softmaxRowsBackward(
  dx: WriteTarget,
  dy: Buffer,
  y: Buffer,
  { count, rows, columns }: MatrixSize,
): void {
  const [dys, ys] = [numbersOf(dy), numbersOf(y)];
  const put = putInto(dx);
  for (let start = 0; start < count * rows * columns; start += columns) {
    let dot = 0;
    for (let j = 0; j < columns; j++) dot += dys[start + j] * ys[start + j];
    for (let j = 0; j < columns; j++) put(start + j, ys[start + j] * (dys[start + j] - dot));
  }
}

/** y[i, j] = (x[i, j] − max) − log Σ exp(x[i, ·] − max). */
export function logSoftmaxRows(y: Buffer, x: Buffer, rows: number, columns: number): void {
  const [ys, xs] = [numbersOf(y), numbersOf(x)];
  for (let start = 0; start < rows * columns; start += columns) {
    const { max, sum } = maxAndSum(xs, start, columns);
    for (let j = 0; j < columns; j++) ys[start + j] = xs[start + j] - max - log(sum);
  }
}

/** dx[i, j] = dy[i, j] − exp(y[i, j])·Σ_s dy[i, s]. */
export function logSoftmaxRowsBackward(
  dx: WriteTarget,
  dy: Buffer,
  y: Buffer,
  rows: number,
  columns: number,
): void {
  const [dys, ys] = [numbersOf(dy), numbersOf(y)];
  const put = putInto(dx);
  for (let start = 0; start < rows * columns; start += columns) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += dys[start + j];
    for (let j = 0; j < columns; j++) put(start + j, dys[start + j] - exp(ys[start + j]) * sum);
  }
}
