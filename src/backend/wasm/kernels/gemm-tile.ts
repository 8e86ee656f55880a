/**
 * The heart of the matrix product: one tile of C, 2 rows × 16 columns, from two rows of A and a packed panel of B.
 *
 * The 8 vectors of the tile stay in registers for the whole sum; beside them 4 of B, one of A and one product
 * fit into the 15 registers that V8 has to give on x64. Larger tiles spill and are slower.
 */
import { multiplyAdd } from "./multiply-add";

/** Rows of a tile. */
export const tileRows: usize = 2;
/** Columns of a tile, and of a panel of B. */
export const tileColumns: usize = 16;

/**
 * c[i, j] = start[i, j] + Σ_k a[k, i]·b[k, j], k ascending. `start` may be c itself.
 *
 * param a     two rows, `aRow` bytes apart, of numbers side by side
 * param b     (inner, 16) packed
 * param inner at least 1
 */
export function tile(c: usize, cRow: usize, start: usize, startRow: usize, a: usize, aRow: usize, b: usize, inner: usize): void {
  let p0 = v128.load(start);
  let p1 = v128.load(start, 16);
  let p2 = v128.load(start, 32);
  let p3 = v128.load(start, 48);
  start += startRow;
  let q0 = v128.load(start);
  let q1 = v128.load(start, 16);
  let q2 = v128.load(start, 32);
  let q3 = v128.load(start, 48);
  let b0: v128, b1: v128, b2: v128, b3: v128, x: v128;

  // Four steps in a round. Leaving between steps, and not by a second loop for the rest, also keeps the compiler
  // from moving the loads of all four to the front, which would spill.
  const end = a + 4 * inner;
  const end1 = end - 4;
  const end2 = end - 8;
  const end3 = end - 12;
  let below = a + aRow;
  while (true) {
    b0 = v128.load(b);
    b1 = v128.load(b, 16);
    b2 = v128.load(b, 32);
    b3 = v128.load(b, 48);
    x = v128.load32_splat(a);
    p0 = multiplyAdd(p0, x, b0);
    p1 = multiplyAdd(p1, x, b1);
    p2 = multiplyAdd(p2, x, b2);
    p3 = multiplyAdd(p3, x, b3);
    x = v128.load32_splat(below);
    q0 = multiplyAdd(q0, x, b0);
    q1 = multiplyAdd(q1, x, b1);
    q2 = multiplyAdd(q2, x, b2);
    q3 = multiplyAdd(q3, x, b3);
    if (a == end1) break;

    b0 = v128.load(b, 64);
    b1 = v128.load(b, 80);
    b2 = v128.load(b, 96);
    b3 = v128.load(b, 112);
    x = v128.load32_splat(a, 4);
    p0 = multiplyAdd(p0, x, b0);
    p1 = multiplyAdd(p1, x, b1);
    p2 = multiplyAdd(p2, x, b2);
    p3 = multiplyAdd(p3, x, b3);
    x = v128.load32_splat(below, 4);
    q0 = multiplyAdd(q0, x, b0);
    q1 = multiplyAdd(q1, x, b1);
    q2 = multiplyAdd(q2, x, b2);
    q3 = multiplyAdd(q3, x, b3);
    if (a == end2) break;

    b0 = v128.load(b, 128);
    b1 = v128.load(b, 144);
    b2 = v128.load(b, 160);
    b3 = v128.load(b, 176);
    x = v128.load32_splat(a, 8);
    p0 = multiplyAdd(p0, x, b0);
    p1 = multiplyAdd(p1, x, b1);
    p2 = multiplyAdd(p2, x, b2);
    p3 = multiplyAdd(p3, x, b3);
    x = v128.load32_splat(below, 8);
    q0 = multiplyAdd(q0, x, b0);
    q1 = multiplyAdd(q1, x, b1);
    q2 = multiplyAdd(q2, x, b2);
    q3 = multiplyAdd(q3, x, b3);
    if (a == end3) break;

    b0 = v128.load(b, 192);
    b1 = v128.load(b, 208);
    b2 = v128.load(b, 224);
    b3 = v128.load(b, 240);
    x = v128.load32_splat(a, 12);
    p0 = multiplyAdd(p0, x, b0);
    p1 = multiplyAdd(p1, x, b1);
    p2 = multiplyAdd(p2, x, b2);
    p3 = multiplyAdd(p3, x, b3);
    x = v128.load32_splat(below, 12);
    q0 = multiplyAdd(q0, x, b0);
    q1 = multiplyAdd(q1, x, b1);
    q2 = multiplyAdd(q2, x, b2);
    q3 = multiplyAdd(q3, x, b3);

    a += 16;
    below += 16;
    b += 256;
    if (a == end) break;
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
}

/** A tile that juts out of C, or whose columns are not side by side in C: it is computed in `buffer`. */
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
  // A row that is not there is computed from the one before it, and not stored.
  tile(buffer, bufferRow, buffer, bufferRow, a, rows == tileRows ? aRow : 0, b, inner);
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
