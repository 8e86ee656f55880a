/**
 * The sums over columns and over rows of attention-products.ts, over four rows of a strip and over one.
 *
 * A matrix is an address and the bytes between rows. `numbers` is the address of a strip; for one row, of its lane in
 * column 0. `widthBytes` is a multiple of 16. A row goes through the same operations alone as among four.
 *
 * All four rows see the first `seen` columns. At the edge of a causal mask, a strip has stairs: row r sees r columns
 * more. They are added while the sums are in registers, each row's in ascending order.
 */
import { multiplyAdd } from "./multiply-add";

/** Bytes of one column of a strip. */
const COLUMN: usize = 16;

/** Four rows, eight numbers of their width at a time. */
export function addSumsOfFour(
  y: usize, yRow: usize, numbers: usize, b: usize, bRow: usize, widthBytes: usize, seen: usize, stairs: bool,
): void {
  const end = numbers + seen * COLUMN;
  let d: usize = 0;
  for (; d + 32 <= widthBytes; d += 32) {
    const y0 = y + d;
    const y1 = y0 + yRow;
    const y2 = y1 + yRow;
    const y3 = y2 + yRow;
    let s00 = v128.load(y0), s01 = v128.load(y0, 16);
    let s10 = v128.load(y1), s11 = v128.load(y1, 16);
    let s20 = v128.load(y2), s21 = v128.load(y2, 16);
    let s30 = v128.load(y3), s31 = v128.load(y3, 16);
    let at = b + d;
    for (let w = numbers; w < end; w += COLUMN) {
      const b0 = v128.load(at);
      const b1 = v128.load(at, 16);
      let weight = v128.load32_splat(w);
      s00 = multiplyAdd(s00, weight, b0);
      s01 = multiplyAdd(s01, weight, b1);
      weight = v128.load32_splat(w, 4);
      s10 = multiplyAdd(s10, weight, b0);
      s11 = multiplyAdd(s11, weight, b1);
      weight = v128.load32_splat(w, 8);
      s20 = multiplyAdd(s20, weight, b0);
      s21 = multiplyAdd(s21, weight, b1);
      weight = v128.load32_splat(w, 12);
      s30 = multiplyAdd(s30, weight, b0);
      s31 = multiplyAdd(s31, weight, b1);
      at += bRow;
    }
    if (stairs) {
      let b0 = v128.load(at);
      let b1 = v128.load(at, 16);
      let weight = v128.load32_splat(end, 4);
      s10 = multiplyAdd(s10, weight, b0);
      s11 = multiplyAdd(s11, weight, b1);
      weight = v128.load32_splat(end, 8);
      s20 = multiplyAdd(s20, weight, b0);
      s21 = multiplyAdd(s21, weight, b1);
      weight = v128.load32_splat(end, 12);
      s30 = multiplyAdd(s30, weight, b0);
      s31 = multiplyAdd(s31, weight, b1);
      at += bRow;
      b0 = v128.load(at);
      b1 = v128.load(at, 16);
      weight = v128.load32_splat(end, COLUMN + 8);
      s20 = multiplyAdd(s20, weight, b0);
      s21 = multiplyAdd(s21, weight, b1);
      weight = v128.load32_splat(end, COLUMN + 12);
      s30 = multiplyAdd(s30, weight, b0);
      s31 = multiplyAdd(s31, weight, b1);
      at += bRow;
      weight = v128.load32_splat(end, 2 * COLUMN + 12);
      s30 = multiplyAdd(s30, weight, v128.load(at));
      s31 = multiplyAdd(s31, weight, v128.load(at, 16));
    }
    v128.store(y0, s00);
    v128.store(y0, s01, 16);
    v128.store(y1, s10);
    v128.store(y1, s11, 16);
    v128.store(y2, s20);
    v128.store(y2, s21, 16);
    v128.store(y3, s30);
    v128.store(y3, s31, 16);
  }
  if (d == widthBytes) return;
  const y0 = y + d;
  const y1 = y0 + yRow;
  const y2 = y1 + yRow;
  const y3 = y2 + yRow;
  let s0 = v128.load(y0), s1 = v128.load(y1), s2 = v128.load(y2), s3 = v128.load(y3);
  let at = b + d;
  for (let w = numbers; w < end; w += COLUMN) {
    const part = v128.load(at);
    s0 = multiplyAdd(s0, v128.load32_splat(w), part);
    s1 = multiplyAdd(s1, v128.load32_splat(w, 4), part);
    s2 = multiplyAdd(s2, v128.load32_splat(w, 8), part);
    s3 = multiplyAdd(s3, v128.load32_splat(w, 12), part);
    at += bRow;
  }
  if (stairs) {
    let part = v128.load(at);
    s1 = multiplyAdd(s1, v128.load32_splat(end, 4), part);
    s2 = multiplyAdd(s2, v128.load32_splat(end, 8), part);
    s3 = multiplyAdd(s3, v128.load32_splat(end, 12), part);
    at += bRow;
    part = v128.load(at);
    s2 = multiplyAdd(s2, v128.load32_splat(end, COLUMN + 8), part);
    s3 = multiplyAdd(s3, v128.load32_splat(end, COLUMN + 12), part);
    at += bRow;
    s3 = multiplyAdd(s3, v128.load32_splat(end, 2 * COLUMN + 12), v128.load(at));
  }
  v128.store(y0, s0);
  v128.store(y1, s1);
  v128.store(y2, s2);
  v128.store(y3, s3);
}

/** One row, sixteen numbers of its width at a time. */
export function addSumOfOne(
  y: usize, numbers: usize, b: usize, bRow: usize, widthBytes: usize, from: usize, to: usize,
): void {
  if (from == to) return;
  const end = numbers + to * COLUMN;
  numbers += from * COLUMN;
  b += from * bRow;
  let d: usize = 0;
  for (; d + 64 <= widthBytes; d += 64) {
    let s0 = v128.load(y + d), s1 = v128.load(y + d, 16), s2 = v128.load(y + d, 32), s3 = v128.load(y + d, 48);
    let at = b + d;
    for (let w = numbers; w < end; w += COLUMN) {
      const weight = v128.load32_splat(w);
      s0 = multiplyAdd(s0, weight, v128.load(at));
      s1 = multiplyAdd(s1, weight, v128.load(at, 16));
      s2 = multiplyAdd(s2, weight, v128.load(at, 32));
      s3 = multiplyAdd(s3, weight, v128.load(at, 48));
      at += bRow;
    }
    v128.store(y + d, s0);
    v128.store(y + d, s1, 16);
    v128.store(y + d, s2, 32);
    v128.store(y + d, s3, 48);
  }
  for (; d < widthBytes; d += 16) {
    let s = v128.load(y + d);
    let at = b + d;
    for (let w = numbers; w < end; w += COLUMN) {
      s = multiplyAdd(s, v128.load32_splat(w), v128.load(at));
      at += bRow;
    }
    v128.store(y + d, s);
  }
}

/** Keeps four rows of `a` in registers, eight numbers of their width at a time. */
export function addOuterProductsOfFour(
  y: usize, yRow: usize, numbers: usize, a0: usize, aRow: usize, widthBytes: usize, seen: usize, stairs: bool,
): void {
  const end = numbers + seen * COLUMN;
  const a1 = a0 + aRow;
  const a2 = a1 + aRow;
  const a3 = a2 + aRow;
  let d: usize = 0;
  for (; d + 32 <= widthBytes; d += 32) {
    const a00 = v128.load(a0 + d), a01 = v128.load(a0 + d, 16);
    const a10 = v128.load(a1 + d), a11 = v128.load(a1 + d, 16);
    const a20 = v128.load(a2 + d), a21 = v128.load(a2 + d, 16);
    const a30 = v128.load(a3 + d), a31 = v128.load(a3 + d, 16);
    let at = y + d;
    for (let w = numbers; w < end; w += COLUMN) {
      let weight = v128.load32_splat(w);
      let s0 = multiplyAdd(v128.load(at), weight, a00);
      let s1 = multiplyAdd(v128.load(at, 16), weight, a01);
      weight = v128.load32_splat(w, 4);
      s0 = multiplyAdd(s0, weight, a10);
      s1 = multiplyAdd(s1, weight, a11);
      weight = v128.load32_splat(w, 8);
      s0 = multiplyAdd(s0, weight, a20);
      s1 = multiplyAdd(s1, weight, a21);
      weight = v128.load32_splat(w, 12);
      v128.store(at, multiplyAdd(s0, weight, a30));
      v128.store(at, multiplyAdd(s1, weight, a31), 16);
      at += yRow;
    }
    if (!stairs) continue;
    let weight = v128.load32_splat(end, 4);
    let s0 = multiplyAdd(v128.load(at), weight, a10);
    let s1 = multiplyAdd(v128.load(at, 16), weight, a11);
    weight = v128.load32_splat(end, 8);
    s0 = multiplyAdd(s0, weight, a20);
    s1 = multiplyAdd(s1, weight, a21);
    weight = v128.load32_splat(end, 12);
    v128.store(at, multiplyAdd(s0, weight, a30));
    v128.store(at, multiplyAdd(s1, weight, a31), 16);
    at += yRow;
    weight = v128.load32_splat(end, COLUMN + 8);
    s0 = multiplyAdd(v128.load(at), weight, a20);
    s1 = multiplyAdd(v128.load(at, 16), weight, a21);
    weight = v128.load32_splat(end, COLUMN + 12);
    v128.store(at, multiplyAdd(s0, weight, a30));
    v128.store(at, multiplyAdd(s1, weight, a31), 16);
    at += yRow;
    weight = v128.load32_splat(end, 2 * COLUMN + 12);
    v128.store(at, multiplyAdd(v128.load(at), weight, a30));
    v128.store(at, multiplyAdd(v128.load(at, 16), weight, a31), 16);
  }
  if (d == widthBytes) return;
  const x0 = v128.load(a0 + d), x1 = v128.load(a1 + d), x2 = v128.load(a2 + d), x3 = v128.load(a3 + d);
  let at = y + d;
  for (let w = numbers; w < end; w += COLUMN) {
    let s = multiplyAdd(v128.load(at), v128.load32_splat(w), x0);
    s = multiplyAdd(s, v128.load32_splat(w, 4), x1);
    s = multiplyAdd(s, v128.load32_splat(w, 8), x2);
    v128.store(at, multiplyAdd(s, v128.load32_splat(w, 12), x3));
    at += yRow;
  }
  if (!stairs) return;
  let s = multiplyAdd(v128.load(at), v128.load32_splat(end, 4), x1);
  s = multiplyAdd(s, v128.load32_splat(end, 8), x2);
  v128.store(at, multiplyAdd(s, v128.load32_splat(end, 12), x3));
  at += yRow;
  s = multiplyAdd(v128.load(at), v128.load32_splat(end, COLUMN + 8), x2);
  v128.store(at, multiplyAdd(s, v128.load32_splat(end, COLUMN + 12), x3));
  at += yRow;
  v128.store(at, multiplyAdd(v128.load(at), v128.load32_splat(end, 2 * COLUMN + 12), x3));
}

export function addOuterProductOfOne(
  y: usize, yRow: usize, numbers: usize, a: usize, widthBytes: usize, seen: usize,
): void {
  for (let column: usize = 0; column < seen; column++) {
    const weight = v128.load32_splat(numbers);
    for (let d: usize = 0; d < widthBytes; d += 16) {
      v128.store(y + d, multiplyAdd(v128.load(y + d), weight, v128.load(a + d)));
    }
    numbers += COLUMN;
    y += yRow;
  }
}
