/**
 * Sums and maxima along the middle axis of (outer, axis, inner), and sums of squares.
 *
 * A line is one (outer, inner) pair, reduced to one number. Work is divided by lines. The `…Rows` kernels handle
 * inner = 1, where a line is a row. In the `…Columns` kernels, adjacent lines fill the lanes, each summed in order.
 */
import { rowSum } from "./row";
import { at, loadPart, loadSome, putOne, putSixteen, putSome } from "./vector";

/** y = factor·Σ x for rows begin … end−1. */
export function sumRows(
  y: usize, x: usize, columns: i32, factor: f32, accumulate: bool, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    putOne(at(y, row), factor * rowSum(at(x, row * columns), columns), accumulate);
  }
}

/** y = factor·Σ_a x[a] for lines begin … end−1. Processes sixteen lines at a time: one cache line of each row. */
export function sumColumns(
  y: usize, x: usize, axis: i32, inner: i32, factor: f32, accumulate: bool, begin: i32, end: i32,
): void {
  const factors = f32x4.splat(factor);
  const step = <usize>inner << 2;
  let line = begin;
  while (line < end) {
    const stop = min(end, line - line % inner + inner);
    const first = at(x, line / inner * axis * inner + line % inner) - at(0, line);
    for (; line <= stop - 16; line += 16) {
      let from = at(first, line);
      let sum0 = f32x4.splat(0);
      let sum1 = sum0;
      let sum2 = sum0;
      let sum3 = sum0;
      for (let a = 0; a < axis; a++) {
        sum0 = f32x4.add(sum0, v128.load(from));
        sum1 = f32x4.add(sum1, v128.load(from, 16));
        sum2 = f32x4.add(sum2, v128.load(from, 32));
        sum3 = f32x4.add(sum3, v128.load(from, 48));
        from += step;
      }
      sum0 = f32x4.mul(sum0, factors);
      sum1 = f32x4.mul(sum1, factors);
      sum2 = f32x4.mul(sum2, factors);
      sum3 = f32x4.mul(sum3, factors);
      putSixteen(at(y, line), sum0, sum1, sum2, sum3, accumulate);
    }
    for (; line < stop; line += 4) {
      const left = min(stop - line, 4);
      let from = at(first, line);
      let sum = f32x4.splat(0);
      for (let a = 0; a < axis; a++) {
        sum = f32x4.add(sum, loadSome(from, left));
        from += step;
      }
      putSome(at(y, line), f32x4.mul(sum, factors), left, accumulate);
    }
    line = stop;
  }
}

/** y = max x for rows begin … end−1; NaN if any element is NaN. */
export function maxRows(y: usize, x: usize, columns: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const from = at(x, row * columns);
    let max = f32x4.splat(-Infinity);
    let j = 0;
    for (; j <= columns - 4; j += 4) max = f32x4.max(max, v128.load(at(from, j)));
    if (j < columns) max = f32x4.max(max, loadPart(at(from, j), columns - j, -Infinity));
    max = f32x4.max(max, v128.shuffle<f32>(max, max, 2, 3, 0, 1));
    max = f32x4.max(max, v128.shuffle<f32>(max, max, 1, 0, 3, 2));
    f32.store(at(y, row), f32x4.extract_lane(max, 0));
  }
}

/** y = max_a x[a] for lines begin … end−1; NaN if any element is NaN. */
export function maxColumns(y: usize, x: usize, axis: i32, inner: i32, begin: i32, end: i32): void {
  let line = begin;
  while (line < end) {
    const stop = min(end, line - line % inner + inner);
    const left = min(stop - line, 4);
    let from = at(x, line / inner * axis * inner + line % inner);
    let max = f32x4.splat(-Infinity);
    for (let a = 0; a < axis; a++) {
      max = f32x4.max(max, loadSome(from, left));
      from += <usize>inner << 2;
    }
    putSome(at(y, line), max, left, false);
    line += left;
  }
}

/** dx[a] = dy for the first a with x[a] = y, otherwise 0; for lines begin … end−1. */
export function maxBackward(
  dx: usize, dy: usize, x: usize, y: usize, axis: i32, inner: i32, accumulate: bool, begin: i32, end: i32,
): void {
  let line = begin;
  while (line < end) {
    const stop = min(end, line - line % inner + inner);
    const left = min(stop - line, 4);
    const start = line / inner * axis * inner + line % inner;
    const derivative = loadSome(at(dy, line), left);
    const max = loadSome(at(y, line), left);
    let found = i32x4.splat(0);
    for (let a = 0; a < axis; a++) {
      const first = v128.andnot(f32x4.eq(loadSome(at(x, start + a * inner), left), max), found);
      putSome(at(dx, start + a * inner), v128.and(derivative, first), left, accumulate);
      found = v128.or(found, first);
    }
    line += left;
  }
}

const CHUNK = 4096;

/**
 * One buffer of a list, whose chunks are numbered consecutively. ../host/multi-tensor.ts writes the fields in this
 * order.
 */
@unmanaged
class SquaredBuffer {
  x: usize;
  length: i32;
  /** The number after its last chunk, which is the first chunk of the next buffer. */
  chunksEnd: i32;
}

/**
 * chunks[c] = Σ x² over numbers 4096·c … 4096·(c + 1) − 1, for chunks begin … end−1 of all buffers. Double precision
 * keeps the square of a large gradient from overflowing, and a million small ones from vanishing beside a large one.
 */
export function sumsOfSquaresInChunks(chunks: usize, buffers: usize, begin: i32, end: i32): void {
  let first = 0;
  for (let each = buffers; first < end; each += offsetof<SquaredBuffer>()) {
    const buffer = changetype<SquaredBuffer>(each);
    const last = min(buffer.chunksEnd, end);
    for (let chunk = max(begin, first); chunk < last; chunk++) {
      const from = (chunk - first) * CHUNK;
      const sum = sumOfSquares(at(buffer.x, from), min(buffer.length - from, CHUNK));
      f64.store(chunks + (<usize>chunk << 3), sum);
    }
    first = buffer.chunksEnd;
  }
}

function sumOfSquares(x: usize, length: i32): f64 {
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  for (let i = 0; i < length; i += 4) {
    const value = loadSome(at(x, i), min(length - i, 4));
    const low = f64x2.promote_low_f32x4(value);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(value, value, 2, 3, 0, 1));
    sum0 = f64x2.add(sum0, f64x2.mul(low, low));
    sum1 = f64x2.add(sum1, f64x2.mul(high, high));
  }
  const sum = f64x2.add(sum0, sum1);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** y[i] = Σ of the chunks of buffer i, for `count` buffers. */
export function sumsOfChunks(y: usize, chunks: usize, buffers: usize, count: i32): void {
  let chunk = 0;
  for (let i = 0; i < count; i++) {
    const end = changetype<SquaredBuffer>(buffers + i * offsetof<SquaredBuffer>()).chunksEnd;
    let sum: f64 = 0;
    for (; chunk < end; chunk++) sum += f64.load(chunks + (<usize>chunk << 3));
    f32.store(at(y, i), <f32>sum);
  }
}
