/**
 * Products with few rows, computed row by row. B is read in place, because packing it would cost more than the
 * product.
 *
 * Each sum adds its products in the order of k, as in a tile. Strides count bytes.
 */
import { Product } from "./gemm-product";
import { addOneRow, canStream, multiplyStream } from "./gemm-stream";
import { multiplyAdd, multiplyAddOne } from "./multiply-add";

/** Columns summed at once: their sums stay in the L1 cache. */
const rowColumns: usize = 2048;

export function multiplyRows(
  product: Product,
  c: usize,
  a: usize,
  b: usize,
  bias: usize,
  rows: usize,
  columns: usize,
  scratch: usize,
): void {
  const cColumn = product.cColumn;
  if (canStream(product, rows, columns)) return multiplyStream(product, c, a, b, bias, rows, columns);
  for (let row: usize = 0; row < rows; ) {
    // Two rows share the loads of B if its rows are contiguous.
    const height: usize = product.bColumn == 4 && row + 2 <= rows ? 2 : 1;
    for (let column: usize = 0; column < columns; column += rowColumns) {
      const width = min(rowColumns, columns - column);
      const to = c + column * cColumn;
      const sums = cColumn == 4 ? to : scratch;
      const sumsRow: usize = cColumn == 4 ? product.cRow : 4 * rowColumns;
      for (let r: usize = 0; r < height; r++) {
        const at = sums + r * sumsRow;
        if (product.accumulate) copyStrided(at, 4, to + r * product.cRow, cColumn, width);
        else if (bias != 0) memory.copy(at, bias + 4 * column, 4 * width);
        else memory.fill(at, 0, 4 * width);
      }
      const from = b + column * product.bColumn;
      if (height == 2) addProductsToTwo(sums, sumsRow, a, product.aRow, product.aColumn, from, product.bRow, width, product.inner);
      else addProducts(sums, a, product.aColumn, from, product.bRow, product.bColumn, width, product.inner);
      for (let r: usize = 0; r < height; r++) copyStrided(to + r * product.cRow, cColumn, sums + r * sumsRow, 4, width);
    }
    c += height * product.cRow;
    a += height * product.aRow;
    row += height;
  }
}

function copyStrided(to: usize, toStride: usize, from: usize, fromStride: usize, count: usize): void {
  if (to == from) return;
  for (let i: usize = 0; i < count; i++) {
    f32.store(to, f32.load(from));
    to += toStride;
    from += fromStride;
  }
}

/** sums[j] += Σ_k a[k]·b[k, j], k ascending. */
function addProducts(
  sums: usize,
  a: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  columns: usize,
  inner: usize,
): void {
  if (bColumn == 4) {
    let k: usize = 0;
    for (; k + 4 <= inner; k += 4) {
      addFourRows(sums, a, aStep, b, bRow, columns);
      a += 4 * aStep;
      b += 4 * bRow;
    }
    for (; k < inner; k++) {
      addOneRow(sums, f32.load(a), b, columns);
      a += aStep;
      b += bRow;
    }
    return;
  }
  let column: usize = 0;
  if (bRow == 4) {
    for (; column + 16 <= columns; column += 16) {
      addSixteenColumns(sums, a, aStep, b, bColumn, inner);
      sums += 64;
      b += 16 * bColumn;
    }
    for (; column + 8 <= columns; column += 8) {
      addEightColumns(sums, a, aStep, b, bColumn, inner);
      sums += 32;
      b += 8 * bColumn;
    }
  }
  for (; column < columns; column++) {
    f32.store(sums, addDot(f32.load(sums), a, aStep, b, bRow, inner));
    sums += 4;
    b += bColumn;
  }
}

/** `addProducts` for two rows if the columns of B are contiguous. */
function addProductsToTwo(
  sums: usize,
  sumsRow: usize,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  columns: usize,
  inner: usize,
): void {
  let k: usize = 0;
  for (; k + 4 <= inner; k += 4) {
    addFourRowsToTwo(sums, sums + sumsRow, a, a + aRow, aStep, b, bRow, columns);
    a += 4 * aStep;
    b += 4 * bRow;
  }
  for (; k < inner; k++) {
    addOneRow(sums, f32.load(a), b, columns);
    addOneRow(sums + sumsRow, f32.load(a + aRow), b, columns);
    a += aStep;
    b += bRow;
  }
}

/** `addFourRows` for two rows of sums: p from x, q from y. */
function addFourRowsToTwo(p: usize, q: usize, x: usize, y: usize, step: usize, b: usize, bRow: usize, columns: usize): void {
  const x0 = v128.load32_splat(x);
  const x1 = v128.load32_splat(x + step);
  const x2 = v128.load32_splat(x + 2 * step);
  const x3 = v128.load32_splat(x + 3 * step);
  const y0 = v128.load32_splat(y);
  const y1 = v128.load32_splat(y + step);
  const y2 = v128.load32_splat(y + 2 * step);
  const y3 = v128.load32_splat(y + 3 * step);
  let b1 = b + bRow;
  let b2 = b1 + bRow;
  let b3 = b2 + bRow;
  for (const end = p + 4 * (columns & ~3); p < end; p += 16) {
    let from = v128.load(b);
    let s = multiplyAdd(v128.load(p), x0, from);
    let t = multiplyAdd(v128.load(q), y0, from);
    from = v128.load(b1);
    s = multiplyAdd(s, x1, from);
    t = multiplyAdd(t, y1, from);
    from = v128.load(b2);
    s = multiplyAdd(s, x2, from);
    t = multiplyAdd(t, y2, from);
    from = v128.load(b3);
    v128.store(p, multiplyAdd(s, x3, from));
    v128.store(q, multiplyAdd(t, y3, from));
    q += 16;
    b += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
  }
  const left = columns & 3;
  if (left == 0) return;
  addFourRowsOfFew(p, x, step, b, bRow, left);
  addFourRowsOfFew(q, y, step, b, bRow, left);
}

/** `addFourRows` for fewer columns than a vector holds. A separate function, because both compile better that way. */
function addFourRowsOfFew(sums: usize, a: usize, aStep: usize, b: usize, bRow: usize, columns: usize): void {
  for (let k = 0; k < 4; k++) {
    addOneRow(sums, f32.load(a), b, columns);
    a += aStep;
    b += bRow;
  }
}

/**
 * sums += a[0]·b[0] + … + a[3]·b[3], in that order. B streams row by row, and the sums are loaded once per four rows.
 */
function addFourRows(sums: usize, a: usize, aStep: usize, b: usize, bRow: usize, columns: usize): void {
  const a0 = f32.load(a);
  const a1 = f32.load(a + aStep);
  const a2 = f32.load(a + 2 * aStep);
  const a3 = f32.load(a + 3 * aStep);
  const x0 = f32x4.splat(a0);
  const x1 = f32x4.splat(a1);
  const x2 = f32x4.splat(a2);
  const x3 = f32x4.splat(a3);
  let b1 = b + bRow;
  let b2 = b1 + bRow;
  let b3 = b2 + bRow;
  const end = sums + 4 * columns;
  const wholeEnd = sums + 4 * (columns & ~7);
  while (sums < wholeEnd) {
    let s = multiplyAdd(v128.load(sums), x0, v128.load(b));
    s = multiplyAdd(s, x1, v128.load(b1));
    s = multiplyAdd(s, x2, v128.load(b2));
    s = multiplyAdd(s, x3, v128.load(b3));
    v128.store(sums, s);
    s = multiplyAdd(v128.load(sums, 16), x0, v128.load(b, 16));
    s = multiplyAdd(s, x1, v128.load(b1, 16));
    s = multiplyAdd(s, x2, v128.load(b2, 16));
    s = multiplyAdd(s, x3, v128.load(b3, 16));
    v128.store(sums, s, 16);
    sums += 32;
    b += 32;
    b1 += 32;
    b2 += 32;
    b3 += 32;
  }
  while (sums < end) {
    let s = multiplyAddOne(f32.load(sums), a0, f32.load(b));
    s = multiplyAddOne(s, a1, f32.load(b1));
    s = multiplyAddOne(s, a2, f32.load(b2));
    s = multiplyAddOne(s, a3, f32.load(b3));
    f32.store(sums, s);
    sums += 4;
    b += 4;
    b1 += 4;
    b2 += 4;
    b3 += 4;
  }
}

/**
 * Adds products for sixteen columns of B that are contiguous in k. Transposes blocks of (4 columns, 4 steps) in
 * registers. Each addition waits for the previous one; four independent vectors keep the processor busy meanwhile.
 */
function addSixteenColumns(sums: usize, a: usize, aStep: usize, b: usize, bColumn: usize, inner: usize): void {
  const next: usize = 4 * bColumn;
  const whole = inner & ~3;
  let s0 = v128.load(sums);
  let s1 = v128.load(sums, 16);
  let s2 = v128.load(sums, 32);
  let s3 = v128.load(sums, 48);
  for (const end = b + 4 * whole; b < end; b += 16) {
    const x0 = v128.load32_splat(a);
    const x1 = v128.load32_splat(a + aStep);
    const x2 = v128.load32_splat(a + 2 * aStep);
    const x3 = v128.load32_splat(a + 3 * aStep);
    s0 = addFourByFour(s0, x0, x1, x2, x3, b, bColumn);
    s1 = addFourByFour(s1, x0, x1, x2, x3, b + next, bColumn);
    s2 = addFourByFour(s2, x0, x1, x2, x3, b + 2 * next, bColumn);
    s3 = addFourByFour(s3, x0, x1, x2, x3, b + 3 * next, bColumn);
    a += 4 * aStep;
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  v128.store(sums, s2, 32);
  v128.store(sums, s3, 48);
  if (whole != inner) addRestOfColumns(sums, a, aStep, b, bColumn, inner - whole, 16);
}

/** The same for eight columns. */
function addEightColumns(sums: usize, a: usize, aStep: usize, b: usize, bColumn: usize, inner: usize): void {
  const half: usize = 4 * bColumn;
  const whole = inner & ~3;
  let low = v128.load(sums);
  let high = v128.load(sums, 16);
  for (const end = b + 4 * whole; b < end; b += 16) {
    const a1 = a + aStep;
    const a2 = a1 + aStep;
    const a3 = a2 + aStep;
    const x0 = v128.load32_splat(a);
    const x1 = v128.load32_splat(a1);
    const x2 = v128.load32_splat(a2);
    const x3 = v128.load32_splat(a3);
    low = addFourByFour(low, x0, x1, x2, x3, b, bColumn);
    high = addFourByFour(high, x0, x1, x2, x3, b + half, bColumn);
    a = a3 + aStep;
  }
  v128.store(sums, low);
  v128.store(sums, high, 16);
  if (whole != inner) addRestOfColumns(sums, a, aStep, b, bColumn, inner - whole, 8);
}

/** The last one to three steps of columns that are contiguous in k. */
function addRestOfColumns(
  sums: usize,
  a: usize,
  aStep: usize,
  b: usize,
  bColumn: usize,
  steps: usize,
  columns: usize,
): void {
  for (let column: usize = 0; column < columns; column++) {
    f32.store(sums, addDot(f32.load(sums), a, aStep, b, 4, steps));
    sums += 4;
    b += bColumn;
  }
}

// @ts-ignore: decorator
@inline
function addFourByFour(sum: v128, x0: v128, x1: v128, x2: v128, x3: v128, b: usize, bColumn: usize): v128 {
  const b2 = b + 2 * bColumn;
  const c0 = v128.load(b);
  const c1 = v128.load(b + bColumn);
  const c2 = v128.load(b2);
  const c3 = v128.load(b2 + bColumn);
  const low01 = v128.shuffle<f32>(c0, c1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(c2, c3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(c0, c1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(c2, c3, 2, 6, 3, 7);
  sum = multiplyAdd(sum, x0, v128.shuffle<f64>(low01, low23, 0, 2));
  sum = multiplyAdd(sum, x1, v128.shuffle<f64>(low01, low23, 1, 3));
  sum = multiplyAdd(sum, x2, v128.shuffle<f64>(high01, high23, 0, 2));
  return multiplyAdd(sum, x3, v128.shuffle<f64>(high01, high23, 1, 3));
}

/** sum + Σ_k a[k]·b[k], k ascending. */
function addDot(sum: f32, a: usize, aStep: usize, b: usize, bStep: usize, inner: usize): f32 {
  for (let k: usize = 0; k < inner; k++) {
    sum = multiplyAddOne(sum, f32.load(a), f32.load(b));
    a += aStep;
    b += bStep;
  }
  return sum;
}
