/**
 * Packing: a block of a strided matrix becomes panels that a tile reads from the first byte to the last.
 *
 * A panel holds `width` lanes (rows of A or columns of B) for every step k of the sum, k slowest. The last panel
 * is filled up with zeros; what a tile computes from them is never stored. Strides count bytes.
 */
import { tileColumns, tileRows } from "./gemm-tile";

/** Packs columns of B: panels of 16 lanes. */
export function packColumns(to: usize, from: usize, columnStride: usize, rowStride: usize, columns: usize, inner: usize): void {
  const panelBytes = inner * tileColumns * 4;
  let column: usize = 0;
  for (; column + tileColumns <= columns; column += tileColumns) {
    if (columnStride == 4) copySixteen(to, from, rowStride, inner);
    else if (rowStride == 4) transposeSixteen(to, from, columnStride, inner);
    else packLanes(to, from, tileColumns, tileColumns, columnStride, rowStride, inner);
    to += panelBytes;
    from += tileColumns * columnStride;
  }
  if (column < columns) packLanes(to, from, tileColumns, columns - column, columnStride, rowStride, inner);
}

/** Packs rows of A: panels of 2 lanes. */
export function packRows(to: usize, from: usize, rowStride: usize, columnStride: usize, rows: usize, inner: usize): void {
  const panelBytes = inner * tileRows * 4;
  let row: usize = 0;
  if (rowStride == 4) {
    for (; row + 16 <= rows; row += 16) {
      copyEightPairs(to, panelBytes, from, columnStride, inner);
      to += 8 * panelBytes;
      from += 64;
    }
  }
  for (; row + tileRows <= rows; row += tileRows) {
    if (columnStride == 4) interleavePair(to, from, rowStride, inner);
    else packLanes(to, from, tileRows, tileRows, rowStride, columnStride, inner);
    to += panelBytes;
    from += tileRows * rowStride;
  }
  if (row < rows) packLanes(to, from, tileRows, rows - row, rowStride, columnStride, inner);
}

/** One panel with any strides, `lanes` of its `width` lanes from the matrix and zeros in the others. */
function packLanes(to: usize, from: usize, width: usize, lanes: usize, laneStride: usize, step: usize, inner: usize): void {
  for (let k: usize = 0; k < inner; k++) {
    let at = from;
    for (let lane: usize = 0; lane < width; lane++) {
      f32.store(to, lane < lanes ? f32.load(at) : 0);
      at += laneStride;
      to += 4;
    }
    from += step;
  }
}

/** 16 lanes that stand side by side. */
function copySixteen(to: usize, from: usize, step: usize, inner: usize): void {
  for (const end = to + inner * 64; to < end; to += 64) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
    v128.store(to, v128.load(from, 48), 48);
    from += step;
  }
}

/** 16 lanes, each contiguous in k: blocks of (4 lanes, 4 steps) are transposed in registers. */
function transposeSixteen(to: usize, from: usize, laneStride: usize, inner: usize): void {
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

/** 2 lanes, each contiguous in k. */
function interleavePair(to: usize, from: usize, laneStride: usize, inner: usize): void {
  const whole = inner & ~3;
  for (let k: usize = 0; k < whole; k += 4) {
    const r0 = v128.load(from);
    const r1 = v128.load(from + laneStride);
    v128.store(to, v128.shuffle<f32>(r0, r1, 0, 4, 1, 5));
    v128.store(to, v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), 16);
    from += 16;
    to += 32;
  }
  for (let k: usize = whole; k < inner; k++) {
    f32.store(to, f32.load(from));
    f32.store(to, f32.load(from + laneStride), 4);
    from += 4;
    to += 8;
  }
}

/** 16 lanes that stand side by side (one cache line a step) into 8 panels of 2. */
function copyEightPairs(to: usize, panelBytes: usize, from: usize, step: usize, inner: usize): void {
  for (const end = to + panelBytes; to < end; to += 8) {
    let at = to;
    for (let pairs: usize = 0; pairs < 64; pairs += 16) {
      const four = v128.load(from + pairs);
      v128.store_lane<i64>(at, four, 0);
      v128.store_lane<i64>(at + panelBytes, four, 1);
      at += 2 * panelBytes;
    }
    from += step;
  }
}
