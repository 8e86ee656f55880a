/**
 * The inner loop of the matrix product: one tile of C, 2 rows × 16 columns, from two rows of A and a packed panel of
 * B.
 *
 * The 8 vectors of the tile stay in registers for the whole sum. With 4 vectors of B, one of A and one product, they
 * fit into the 15 registers that V8 has available on x64. Larger tiles spill and are slower.
 */
import { multiplyAdd } from "./multiply-add";

/** Rows of a tile. */
export const tileRows: usize = 2;
/** Columns of a tile, and of a panel of B. */
export const tileColumns: usize = 16;

/**
 * c[i, j] = start[i, j] + Σ_k a[i, k]·b[k, j], k ascending, for one tile and the ones below it. `start` may be c
 * itself.
 *
 * @param a     rows of contiguous numbers, `aRow` bytes apart
 * @param b     (inner, 16), packed
 * @param inner at least 1
 * @param count number of tiles, at least 1
 */
export function tiles(
  c: usize, cRow: usize, start: usize, startRow: usize, a: usize, aRow: usize, b: usize, inner: usize, count: usize,
): void {
  let b0: v128, b1: v128, b2: v128, b3: v128, x: v128;
  do {
    let p0 = v128.load(start);
    let p1 = v128.load(start, 16);
    let p2 = v128.load(start, 32);
    let p3 = v128.load(start, 48);
    start += startRow;
    let q0 = v128.load(start);
    let q1 = v128.load(start, 16);
    let q2 = v128.load(start, 32);
    let q3 = v128.load(start, 48);
    start += startRow;

    // Four steps per iteration. Exiting between steps, instead of a second loop for the rest, also keeps the compiler
    // from hoisting the loads of all four, which would spill.
    const end = a + 4 * inner;
    const end1 = end - 4;
    const end2 = end - 8;
    const end3 = end - 12;
    let at = a;
    let below = a + aRow;
    let from = b;
    while (true) {
      b0 = v128.load(from);
      b1 = v128.load(from, 16);
      b2 = v128.load(from, 32);
      b3 = v128.load(from, 48);
      x = v128.load32_splat(at);
      p0 = multiplyAdd(p0, x, b0);
      p1 = multiplyAdd(p1, x, b1);
      p2 = multiplyAdd(p2, x, b2);
      p3 = multiplyAdd(p3, x, b3);
      x = v128.load32_splat(below);
      q0 = multiplyAdd(q0, x, b0);
      q1 = multiplyAdd(q1, x, b1);
      q2 = multiplyAdd(q2, x, b2);
      q3 = multiplyAdd(q3, x, b3);
      if (at == end1) break;

      b0 = v128.load(from, 64);
      b1 = v128.load(from, 80);
      b2 = v128.load(from, 96);
      b3 = v128.load(from, 112);
      x = v128.load32_splat(at, 4);
      p0 = multiplyAdd(p0, x, b0);
      p1 = multiplyAdd(p1, x, b1);
      p2 = multiplyAdd(p2, x, b2);
      p3 = multiplyAdd(p3, x, b3);
      x = v128.load32_splat(below, 4);
      q0 = multiplyAdd(q0, x, b0);
      q1 = multiplyAdd(q1, x, b1);
      q2 = multiplyAdd(q2, x, b2);
      q3 = multiplyAdd(q3, x, b3);
      if (at == end2) break;

      b0 = v128.load(from, 128);
      b1 = v128.load(from, 144);
      b2 = v128.load(from, 160);
      b3 = v128.load(from, 176);
      x = v128.load32_splat(at, 8);
      p0 = multiplyAdd(p0, x, b0);
      p1 = multiplyAdd(p1, x, b1);
      p2 = multiplyAdd(p2, x, b2);
      p3 = multiplyAdd(p3, x, b3);
      x = v128.load32_splat(below, 8);
      q0 = multiplyAdd(q0, x, b0);
      q1 = multiplyAdd(q1, x, b1);
      q2 = multiplyAdd(q2, x, b2);
      q3 = multiplyAdd(q3, x, b3);
      if (at == end3) break;

      b0 = v128.load(from, 192);
      b1 = v128.load(from, 208);
      b2 = v128.load(from, 224);
      b3 = v128.load(from, 240);
      x = v128.load32_splat(at, 12);
      p0 = multiplyAdd(p0, x, b0);
      p1 = multiplyAdd(p1, x, b1);
      p2 = multiplyAdd(p2, x, b2);
      p3 = multiplyAdd(p3, x, b3);
      x = v128.load32_splat(below, 12);
      q0 = multiplyAdd(q0, x, b0);
      q1 = multiplyAdd(q1, x, b1);
      q2 = multiplyAdd(q2, x, b2);
      q3 = multiplyAdd(q3, x, b3);

      at += 16;
      below += 16;
      from += 256;
      if (at == end) break;
    }

    v128.store(c, p0);
    v128.store(c, p1, 16);
    v128.store(c, p2, 32);
    v128.store(c, p3, 48);
    c += cRow;
    v128.store(c, q0);
    v128.store(c, q1, 16);
    v128.store(c, q2, 32);
    v128.store(c, q3, 48);
    c += cRow;
    a += 2 * aRow;
  } while (--count);
}

/** A tile that extends past the edge of C, or whose columns are not contiguous in C. Computed in `buffer`. */
export function edgeTile(
  c: usize,
  cRow: usize,
  cColumn: usize,
  start: usize,
  startRow: usize,
  startColumn: usize,
  rows: usize,
  columns: usize,
  a: usize,
  aRow: usize,
  b: usize,
  inner: usize,
  buffer: usize,
): void {
  const bufferRow: usize = 4 * tileColumns;
  copyTile(buffer, bufferRow, 4, start, startRow, startColumn, rows, columns);
  // A missing row is computed from the row before it, and not stored.
  tiles(buffer, bufferRow, buffer, bufferRow, a, rows == tileRows ? aRow : 0, b, inner, 1);
  copyTile(c, cRow, cColumn, buffer, bufferRow, 4, rows, columns);
}

function copyTile(
  to: usize,
  toRow: usize,
  toColumn: usize,
  from: usize,
  fromRow: usize,
  fromColumn: usize,
  rows: usize,
  columns: usize,
): void {
  for (let row: usize = 0; row < rows; row++) {
    let column: usize = 0;
    if (toColumn == 4 && fromColumn == 4) {
      for (; column + 4 <= columns; column += 4) v128.store(to + 4 * column, v128.load(from + 4 * column));
    }
    for (; column < columns; column++) {
      f32.store(to + column * toColumn, f32.load(from + column * fromColumn));
    }
    to += toRow;
    from += fromRow;
  }
}
