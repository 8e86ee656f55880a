/**
 * Fused attention, forward. With f the dropout factors:
 *
 *   s = scale·q·kᵀ                               over visible pairs only
 *   p = exp(s − max s),  w = f ⊙ p / Σ p         row by row
 *   y = w·v                                      saved for backward: max s, Σ p
 *
 * Processes four rows at a time. Their scores, later their weights, are in scratch, 4·columns numbers (see
 * attention-products.ts). If matrices have a single row, as in token-by-token generation, up to four neighboring
 * matrices are processed together. Every sum over columns runs in ascending order.
 */
import {
  Call, Strip, countSingleRows, findMatrices, findWindow, indicesOf, keptLanes, matrixOf, moveToWindow, numbersOf,
  paddedColumns, seenByLast, stepOf, takeStrip,
} from "./attention-call";
import { addSumsOfMatrices, dotProductsOfMatrices } from "./attention-neighbors";
import { addSumsOverColumns, clearRows, dotProducts } from "./attention-products";
import { expOfNegative } from "./math";
import { putSome } from "./vector";

const Y: usize = 0, Q: usize = 1, K: usize = 2, V: usize = 3;

/** Matrices begin … end−1 of the batch. */
export function attention(parameters: usize, begin: i32, end: i32, scratch: usize): void {
  const call = changetype<Call>(parameters);
  for (let matrix = begin; matrix < end; matrix++) {
    findMatrices(scratch, call, 4, matrix);
    findWindow(scratch, call, matrix);
    moveToWindow(scratch, K);
    moveToWindow(scratch, V);
    const together = countSingleRows(call, matrix, end);
    if (together > 1) {
      attendTogether(scratch, takeStrip(scratch, call, 0), call, matrix, together);
      matrix += together - 1;
      continue;
    }
    for (let row: usize = 0; row < call.rows; ) {
      const strip = takeStrip(scratch, call, row);
      attend(scratch, strip, call, matrix);
      row += strip.rows;
    }
  }
}

/**
 * Computes the only row of `matrix` and of the matrices after it, side by side in the lanes of one strip. Lanes
 * without a matrix are computed too, and their results ignored.
 */
function attendTogether(scratch: usize, strip: Strip, call: Call, matrix: i32, matrices: usize): void {
  strip.rows = matrices;
  strip.step = 0;
  const numbers = numbersOf(scratch);
  const end = hideUnseen(numbers, strip);
  const y = matrixOf(scratch, Y).start, yStep = stepOf(call, Y);
  const k = matrixOf(scratch, K), v = matrixOf(scratch, V);
  const q = matrixOf(scratch, Q).start, qStep = stepOf(call, Q);
  dotProductsOfMatrices(numbers, q, qStep, k.start, stepOf(call, K), k.rowBytes, strip, call.scale);
  softmax(numbers, end, call, strip, matrix, indicesOf(scratch, strip, call, matrix));
  addSumsOfMatrices(y, yStep, numbers, v.start, stepOf(call, V), v.rowBytes, strip);
}

/** Sets the padding after the columns that the strip sees to −∞; returns the end of the numbers. */
@inline
function hideUnseen(numbers: usize, strip: Strip): usize {
  const seen = seenByLast(strip);
  const end = numbers + 16 * paddedColumns(seen);
  for (let at = numbers + 16 * seen; at < end; at += 16) v128.store(at, f32x4.splat(-Infinity));
  return end;
}

/**
 * Hides the columns that only some rows of a strip of four see: column `seen` from row 0, the next one from row 1
 * too, ….
 */
@inline
function hideStairs(numbers: usize, strip: Strip): void {
  const hidden = f32x4.splat(-Infinity);
  const at = numbers + 16 * strip.seen;
  v128.store(at, v128.bitselect(hidden, v128.load(at), i32x4(-1, 0, 0, 0)));
  v128.store(at, v128.bitselect(hidden, v128.load(at, 16), i32x4(-1, -1, 0, 0)), 16);
  v128.store(at, v128.bitselect(hidden, v128.load(at, 32), i32x4(-1, -1, -1, 0)), 32);
}

function attend(scratch: usize, strip: Strip, call: Call, matrix: i32): void {
  const numbers = numbersOf(scratch);
  const end = hideUnseen(numbers, strip);
  dotProducts(numbers, strip, matrixOf(scratch, Q), matrixOf(scratch, K), call.scale);
  if (strip.rows == 4 && strip.step == 1) hideStairs(numbers, strip);
  softmax(numbers, end, call, strip, matrix, indicesOf(scratch, strip, call, matrix));
  const y = matrixOf(scratch, Y);
  clearRows(y, strip.row, strip.rows, strip.widthBytes);
  addSumsOverColumns(y, numbers, strip, matrixOf(scratch, V));
}

/** Turns scores into weights; −∞, after the columns a row sees, becomes 0. Saves the statistics of each row. */
function softmax(numbers: usize, end: usize, call: Call, strip: Strip, matrix: i32, indices: v128): void {
  // This maximum ignores NaN, but exp does not, so the sum is NaN.
  let max = f32x4.splat(-Infinity);
  for (let at = numbers; at < end; at += 16) max = f32x4.pmax(max, v128.load(at));
  // A row that sees nothing, or only −∞, is shifted by 0, because −∞ − max would be NaN.
  const shift = v128.andnot(max, f32x4.eq(max, f32x4.splat(-Infinity)));
  let sum = f32x4.splat(0);
  // Four columns at a time, so that an engine sets up the constants of exp once for all four.
  for (let at = numbers; at < end; at += 64) {
    sum = f32x4.add(sum, exponentiate(at, shift));
    sum = f32x4.add(sum, exponentiate(at + 16, shift));
    sum = f32x4.add(sum, exponentiate(at + 32, shift));
    sum = f32x4.add(sum, exponentiate(at + 48, shift));
  }
  const row = 4 * (<usize>matrix * call.rows + strip.row);
  putSome(call.max + row, max, <i32>strip.rows, false);
  putSome(call.sum + row, sum, <i32>strip.rows, false);
  // A row that sees nothing has sum 0; its weights are 0.
  const blind = f32x4.eq(sum, f32x4.splat(0));
  const factor = v128.andnot(f32x4.div(f32x4.splat(call.keepFactor), sum), blind);
  for (let at = numbers; at < end; at += 16) v128.store(at, f32x4.mul(factor, v128.load(at)));
  if (call.dropping) dropWeights(numbers, end, call, indices);
}

@inline
function exponentiate(at: usize, shift: v128): v128 {
  const p = expOfNegative(f32x4.sub(v128.load(at), shift));
  v128.store(at, p);
  return p;
}

function dropWeights(numbers: usize, end: usize, call: Call, indices: v128): void {
  for (let at = numbers; at < end; at += 64) {
    indices = dropColumn(at, call, indices);
    indices = dropColumn(at + 16, call, indices);
    indices = dropColumn(at + 32, call, indices);
    indices = dropColumn(at + 48, call, indices);
  }
}

@inline
function dropColumn(at: usize, call: Call, indices: v128): v128 {
  v128.store(at, v128.and(v128.load(at), keptLanes(call, indices)));
  return i32x4.add(indices, i32x4.splat(1));
}
