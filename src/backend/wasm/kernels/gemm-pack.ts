/**
 * Packing copies a block of a strided matrix into the order in which a tile reads it.
 *
 * B is packed into panels of 16 columns for every step k of the sum, with k as the slowest index. The last panel is
 * padded with zeros; results computed from the padding are never stored. A is packed row by row, with the steps of a
 * row contiguous. If A already has that layout, it is not packed. Strides count bytes.
 */
import { tileColumns } from "./gemm-tile";

/** Packs columns of B into panels of 16 lanes. */
export function packColumns(to: usize, from: usize, columnStride: usize, rowStride: usize, columns: usize, inner: usize): void {
  const panelBytes = inner * tileColumns * 4;
  let column: usize = 0;
  for (; column + tileColumns <= columns; column += tileColumns) {
    if (columnStride == 4) copySixteen(to, from, rowStride, inner);
    else if (rowStride == 4) transposeSixteenLanes(to, from, columnStride, inner);
    else packLanes(to, from, tileColumns, columnStride, rowStride, inner);
    to += panelBytes;
    from += tileColumns * columnStride;
  }
  if (column < columns) packLanes(to, from, columns - column, columnStride, rowStride, inner);
}

/** Packs rows of A one after the other, with the numbers of each row contiguous. */
export function packRows(to: usize, from: usize, rowStride: usize, columnStride: usize, rows: usize, inner: usize): void {
  let row: usize = 0;
  if (rowStride == 4) {
    for (; row + 16 <= rows; row += 16) {
      transposeSixteenRows(to, from, columnStride, inner);
      to += 64 * inner;
      from += 64;
    }
  }
  for (; row < rows; row++) {
    let at = from;
    for (const end = to + 4 * inner; to < end; to += 4) {
      f32.store(to, f32.load(at));
      at += columnStride;
    }
    from += rowStride;
  }
}

/** Packs one panel with any strides: `lanes` lanes from the matrix, zeros in the others. */
function packLanes(to: usize, from: usize, lanes: usize, laneStride: usize, step: usize, inner: usize): void {
  for (let k: usize = 0; k < inner; k++) {
    let at = from;
    for (let lane: usize = 0; lane < tileColumns; lane++) {
      f32.store(to, lane < lanes ? f32.load(at) : 0);
      at += laneStride;
      to += 4;
    }
    from += step;
  }
}

/** Packs 16 adjacent lanes. */
function copySixteen(to: usize, from: usize, step: usize, inner: usize): void {
  for (const end = to + inner * 64; to < end; to += 64) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
    v128.store(to, v128.load(from, 48), 48);
    from += step;
  }
}

/** Packs 16 lanes, each contiguous in k. Transposes blocks of (4 lanes, 4 steps) in registers. */
function transposeSixteenLanes(to: usize, from: usize, laneStride: usize, inner: usize): void {
  const whole = inner & ~3;
  for (let lane: usize = 0; lane < 16; lane += 4) {
    let at = from;
    let target = to;
    for (let k: usize = 0; k < whole; k += 4) {
      const r0 = v128.load(at);
      const r1 = v128.load(at + laneStride);
      const r2 = v128.load(at + 2 * laneStride);
      const r3 = v128.load(at + 3 * laneStride);
      const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      v128.store(target, v128.shuffle<f64>(low01, low23, 0, 2));
      v128.store(target, v128.shuffle<f64>(low01, low23, 1, 3), 64);
      v128.store(target, v128.shuffle<f64>(high01, high23, 0, 2), 128);
      v128.store(target, v128.shuffle<f64>(high01, high23, 1, 3), 192);
      at += 16;
      target += 256;
    }
    for (let k: usize = whole; k < inner; k++) {
      f32.store(target, f32.load(at));
      f32.store(target, f32.load(at + laneStride), 4);
      f32.store(target, f32.load(at + 2 * laneStride), 8);
      f32.store(target, f32.load(at + 3 * laneStride), 12);
      at += 4;
      target += 64;
    }
    from += 4 * laneStride;
    to += 16;
  }
}

/** Packs 16 adjacent rows (one cache line per step). Transposes blocks of (4 rows, 4 steps) in registers. */
function transposeSixteenRows(to: usize, from: usize, step: usize, inner: usize): void {
  const row: usize = 4 * inner;
  const whole = inner & ~3;
  for (let k: usize = 0; k < whole; k += 4) {
    const next = from + step;
    const third = next + step;
    const fourth = third + step;
    let target = to;
    for (let lane: usize = 0; lane < 64; lane += 16) {
      const r0 = v128.load(from + lane);
      const r1 = v128.load(next + lane);
      const r2 = v128.load(third + lane);
      const r3 = v128.load(fourth + lane);
      const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      v128.store(target, v128.shuffle<f64>(low01, low23, 0, 2));
      target += row;
      v128.store(target, v128.shuffle<f64>(low01, low23, 1, 3));
      target += row;
      v128.store(target, v128.shuffle<f64>(high01, high23, 0, 2));
      target += row;
      v128.store(target, v128.shuffle<f64>(high01, high23, 1, 3));
      target += row;
    }
    from = fourth + step;
    to += 16;
  }
  for (let k = whole; k < inner; k++) {
    let target = to;
    for (let lane: usize = 0; lane < 64; lane += 4) {
      f32.store(target, f32.load(from + lane));
      target += row;
    }
    from += step;
    to += 4;
  }
}
