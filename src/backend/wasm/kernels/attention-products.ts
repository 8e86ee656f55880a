/**
 * The matrix products inside attention, over the pairs of rows and columns that see each other.
 *
 * A strip is four rows, or one, of the (rows, columns) matrix of scores or weights, which is never stored as a whole.
 * Its numbers are in scratch column by column, four per column: one vector is one column, and lane r is row r. Lanes
 * of missing rows, or of rows that do not see the column, may hold anything. Products of four rows fill those lanes
 * too, and hidden values never enter a sum.
 *
 * Four rows share their loads. A row alone and a row among four compute an element by the same operations in the same
 * order, so its bits do not depend on the strip.
 */
import { Matrix, Strip } from "./attention-call";
import { dotProductsOfFour, dotProductsOfNarrow, dotProductsOfOne, sumsOfLanes } from "./attention-dots";
import { addOuterProductOfOne, addOuterProductsOfFour, addSumOfOne, addSumsOfFour } from "./attention-sums";
import { multiplyAdd } from "./multiply-add";

/** numbers[row, column] = factor·⟨a[row], b[column]⟩. */
export function dotProducts(numbers: usize, strip: Strip, a: Matrix, b: Matrix, factor: f32): void {
  const width = strip.widthBytes, step = strip.step, seen = strip.seen;
  const aRow = a.rowBytes, bRow = b.rowBytes;
  const first = a.start + strip.row * aRow;
  if (strip.rows == 4 && width == 16) {
    dotProductsOfNarrow(numbers, first, aRow, b.start, bRow, factor, seen + 3 * step);
  } else if (strip.rows == 4) {
    dotProductsOfFour(numbers, first, aRow, b.start, bRow, width, factor, seen + 3 * step);
  } else {
    dotProductsOfOne(numbers, first, b.start, bRow, width, factor, 0, seen);
  }
}

/** y[row] += Σ numbers[row, column]·b[column]. */
export function addSumsOverColumns(y: Matrix, numbers: usize, strip: Strip, b: Matrix): void {
  const width = strip.widthBytes, step = strip.step, seen = strip.seen;
  const yRow = y.rowBytes, bRow = b.rowBytes;
  const first = y.start + strip.row * yRow;
  if (strip.rows == 4) addSumsOfFour(first, yRow, numbers, b.start, bRow, width, seen, step == 1);
  else addSumOfOne(first, numbers, b.start, bRow, width, 0, seen);
}

/** y[column] += numbers[row, column]·a[row], one row after the other. */
export function addOuterProducts(y: Matrix, numbers: usize, strip: Strip, a: Matrix): void {
  const width = strip.widthBytes, step = strip.step, seen = strip.seen;
  const yRow = y.rowBytes, aRow = a.rowBytes;
  const first = a.start + strip.row * aRow;
  if (strip.rows == 4) addOuterProductsOfFour(y.start, yRow, numbers, first, aRow, width, seen, step == 1);
  else addOuterProductOfOne(y.start, yRow, numbers, first, width, seen);
}

/** Sets `rows` rows of y to 0, starting at `row`. */
export function clearRows(y: Matrix, row: usize, rows: usize, widthBytes: usize): void {
  for (let at = y.start + row * y.rowBytes; rows > 0; rows--) {
    for (let d: usize = 0; d < widthBytes; d += 16) v128.store(at + d, f32x4.splat(0));
    at += y.rowBytes;
  }
}

/** ⟨a[row], b[row]⟩ for each row of the strip. */
export function dotsOfRows(strip: Strip, a: Matrix, b: Matrix): v128 {
  const a0 = a.start + strip.row * a.rowBytes, b0 = b.start + strip.row * b.rowBytes;
  // A single row fills all four lanes.
  const aRow = strip.rows == 4 ? a.rowBytes : 0, bRow = strip.rows == 4 ? b.rowBytes : 0;
  const a1 = a0 + aRow, a2 = a1 + aRow, a3 = a2 + aRow;
  const b1 = b0 + bRow, b2 = b1 + bRow, b3 = b2 + bRow;
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (let d: usize = 0; d < strip.widthBytes; d += 16) {
    s0 = multiplyAdd(s0, v128.load(a0 + d), v128.load(b0 + d));
    s1 = multiplyAdd(s1, v128.load(a1 + d), v128.load(b1 + d));
    s2 = multiplyAdd(s2, v128.load(a2 + d), v128.load(b2 + d));
    s3 = multiplyAdd(s3, v128.load(a3 + d), v128.load(b3 + d));
  }
  return sumsOfLanes(s0, s1, s2, s3);
}
