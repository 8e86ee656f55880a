/**
 * One or two rows times a large matrix, as in decoding. Memory takes the time, not arithmetic, so B is read from its
 * first number to its last: then the processor fetches ahead. It does not when four rows of B are read side by side,
 * which is faster for a matrix in a cache (gemm-rows.ts).
 *
 * The sums have the same order as everywhere. Strides count bytes.
 */
import { Product } from "./gemm-product";
import { multiplyAdd, multiplyAddOne } from "./multiply-add";

/** For more rows, arithmetic takes longer than memory. */
const mostRows: usize = 2;
/** The sums of a row stay in the L1 cache. ../host/gemm.ts has these two numbers too. */
const mostColumns: usize = 3072;
/** Models with matrices of this size do not fit into an L2 cache. */
const leastBytes: usize = 128 * 1024;

/** Whether B is large and one contiguous range of memory. */
export function canStream(product: Product, rows: usize, columns: usize): bool {
  const rowBytes: usize = 4 * columns;
  const isContiguous = product.bColumn == 4 && product.bRow == rowBytes && product.cColumn == 4;
  return isContiguous && rows <= mostRows && columns <= mostColumns && rowBytes * product.inner >= leastBytes;
}

/** c[r, j] = start + Σ_k a[r, k]·b[k, j], k ascending. */
export function multiplyStream(
  product: Product,
  c: usize,
  a: usize,
  b: usize,
  bias: usize,
  rows: usize,
  columns: usize,
): void {
  if (product.accumulate == 0) {
    for (let row: usize = 0; row < rows; row++) {
      if (bias != 0) memory.copy(c + row * product.cRow, bias, 4 * columns);
      else memory.fill(c + row * product.cRow, 0, 4 * columns);
    }
  }
  for (let k: usize = 0; k < product.inner; k++) {
    for (let row: usize = 0; row < rows; row++) {
      addOneRow(c + row * product.cRow, f32.load(a + row * product.aRow), b, columns);
    }
    a += product.aColumn;
    b += product.bRow;
  }
}

/** sums += a·b for one row of B. */
export function addOneRow(sums: usize, a: f32, b: usize, columns: usize): void {
  const x = f32x4.splat(a);
  const end = sums + 4 * columns;
  const unrolledEnd = sums + 4 * (columns & ~15);
  for (; sums < unrolledEnd; sums += 64) {
    v128.store(sums, multiplyAdd(v128.load(sums), x, v128.load(b)));
    v128.store(sums, multiplyAdd(v128.load(sums, 16), x, v128.load(b, 16)), 16);
    v128.store(sums, multiplyAdd(v128.load(sums, 32), x, v128.load(b, 32)), 32);
    v128.store(sums, multiplyAdd(v128.load(sums, 48), x, v128.load(b, 48)), 48);
    b += 64;
  }
  for (; sums < end; sums += 4) {
    f32.store(sums, multiplyAddOne(f32.load(sums), a, f32.load(b)));
    b += 4;
  }
}
