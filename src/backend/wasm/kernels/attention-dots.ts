/**
 * The dot products of attention-products.ts, over four rows of a strip and over one.
 *
 * A matrix is an address and the bytes between rows. `numbers` is the address of a strip; for one row, of its lane in
 * column 0. `widthBytes` is a multiple of 16. A row goes through the same operations alone as among four.
 */
import { multiplyAdd } from "./multiply-add";

/** Bytes of one column of a strip. */
const COLUMN: usize = 16;

/** The sums of the lanes of four vectors, each as (0 + 2) + (1 + 3). */
@inline
export function sumsOfLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** Four rows against two columns at a time. */
export function dotProductsOfFour(
  numbers: usize, a0: usize, aRow: usize, b: usize, bRow: usize, widthBytes: usize, factor: f32, seen: usize,
): void {
  const a1 = a0 + aRow;
  const a2 = a1 + aRow;
  const a3 = a2 + aRow;
  const factors = f32x4.splat(factor);
  let column: usize = 0;
  for (; column + 2 <= seen; column += 2) {
    let s00 = f32x4.splat(0), s10 = s00, s20 = s00, s30 = s00;
    let s01 = s00, s11 = s00, s21 = s00, s31 = s00;
    const next = b + bRow;
    for (let d: usize = 0; d < widthBytes; d += 16) {
      const b0 = v128.load(b + d);
      const b1 = v128.load(next + d);
      let x = v128.load(a0 + d);
      s00 = multiplyAdd(s00, x, b0);
      s01 = multiplyAdd(s01, x, b1);
      x = v128.load(a1 + d);
      s10 = multiplyAdd(s10, x, b0);
      s11 = multiplyAdd(s11, x, b1);
      x = v128.load(a2 + d);
      s20 = multiplyAdd(s20, x, b0);
      s21 = multiplyAdd(s21, x, b1);
      x = v128.load(a3 + d);
      s30 = multiplyAdd(s30, x, b0);
      s31 = multiplyAdd(s31, x, b1);
    }
    v128.store(numbers, f32x4.mul(factors, sumsOfLanes(s00, s10, s20, s30)));
    v128.store(numbers, f32x4.mul(factors, sumsOfLanes(s01, s11, s21, s31)), COLUMN);
    numbers += 2 * COLUMN;
    b = next + bRow;
  }
  if (column == seen) return;
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (let d: usize = 0; d < widthBytes; d += 16) {
    const x = v128.load(b + d);
    s0 = multiplyAdd(s0, v128.load(a0 + d), x);
    s1 = multiplyAdd(s1, v128.load(a1 + d), x);
    s2 = multiplyAdd(s2, v128.load(a2 + d), x);
    s3 = multiplyAdd(s3, v128.load(a3 + d), x);
  }
  v128.store(numbers, f32x4.mul(factors, sumsOfLanes(s0, s1, s2, s3)));
}

/**
 * The same for rows of a single vector. The rows are transposed once, so that each lane is a row and no column needs
 * a transpose.
 */
export function dotProductsOfNarrow(
  numbers: usize, a: usize, aRow: usize, b: usize, bRow: usize, factor: f32, seen: usize,
): void {
  const a0 = v128.load(a), a1 = v128.load(a + aRow), a2 = v128.load(a + 2 * aRow), a3 = v128.load(a + 3 * aRow);
  const low01 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
  const low23 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
  const x0 = v128.shuffle<f64>(low01, low23, 0, 2), x1 = v128.shuffle<f64>(low01, low23, 1, 3);
  const x2 = v128.shuffle<f64>(high01, high23, 0, 2), x3 = v128.shuffle<f64>(high01, high23, 1, 3);
  const factors = f32x4.splat(factor), zero = f32x4.splat(0);
  for (const end = numbers + seen * COLUMN; numbers < end; numbers += COLUMN) {
    const s0 = multiplyAdd(zero, x0, v128.load32_splat(b));
    const s1 = multiplyAdd(zero, x1, v128.load32_splat(b, 4));
    const s2 = multiplyAdd(zero, x2, v128.load32_splat(b, 8));
    const s3 = multiplyAdd(zero, x3, v128.load32_splat(b, 12));
    // Same order as in sumsOfLanes.
    v128.store(numbers, f32x4.mul(factors, f32x4.add(f32x4.add(s0, s2), f32x4.add(s1, s3))));
    b += bRow;
  }
}

/** One row against four columns at a time. */
export function dotProductsOfOne(
  numbers: usize, a: usize, b: usize, bRow: usize, widthBytes: usize, factor: f32, from: usize, to: usize,
): void {
  const factors = f32x4.splat(factor);
  const evenEnd = a + (widthBytes & ~31);
  b += from * bRow;
  numbers += from * COLUMN;
  let column = from;
  for (; column + 4 <= to; column += 4) {
    let b0 = b, b1 = b0 + bRow, b2 = b1 + bRow, b3 = b2 + bRow;
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    let x = a;
    for (; x < evenEnd; x += 32) {
      let part = v128.load(x);
      s0 = multiplyAdd(s0, part, v128.load(b0));
      s1 = multiplyAdd(s1, part, v128.load(b1));
      s2 = multiplyAdd(s2, part, v128.load(b2));
      s3 = multiplyAdd(s3, part, v128.load(b3));
      part = v128.load(x, 16);
      s0 = multiplyAdd(s0, part, v128.load(b0, 16));
      s1 = multiplyAdd(s1, part, v128.load(b1, 16));
      s2 = multiplyAdd(s2, part, v128.load(b2, 16));
      s3 = multiplyAdd(s3, part, v128.load(b3, 16));
      b0 += 32;
      b1 += 32;
      b2 += 32;
      b3 += 32;
    }
    if (x < a + widthBytes) {
      const part = v128.load(x);
      s0 = multiplyAdd(s0, part, v128.load(b0));
      s1 = multiplyAdd(s1, part, v128.load(b1));
      s2 = multiplyAdd(s2, part, v128.load(b2));
      s3 = multiplyAdd(s3, part, v128.load(b3));
    }
    const scores = f32x4.mul(factors, sumsOfLanes(s0, s1, s2, s3));
    v128.store_lane<f32>(numbers, scores, 0);
    v128.store_lane<f32>(numbers, scores, 1, COLUMN);
    v128.store_lane<f32>(numbers, scores, 2, 2 * COLUMN);
    v128.store_lane<f32>(numbers, scores, 3, 3 * COLUMN);
    numbers += 4 * COLUMN;
    b += 4 * bRow;
  }
  for (; column < to; column++) {
    let s = f32x4.splat(0);
    for (let d: usize = 0; d < widthBytes; d += 16) s = multiplyAdd(s, v128.load(a + d), v128.load(b + d));
    v128.store_lane<f32>(numbers, f32x4.mul(factors, sumsOfLanes(s, s, s, s)), 0);
    numbers += COLUMN;
    b += bRow;
  }
}
