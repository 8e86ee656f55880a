/**
 * The parameters of one call of an attention kernel, as ../host/attention.ts lays them out in memory, and what the
 * kernel derives from them for one matrix of the batch and for one strip of its rows.
 */
import { drop } from "./hash";

/** 32-bit words at `parameters`. The sizes of the batch axes follow, then the operands. */
@unmanaged
export class Call {
  rows: usize;
  columns: usize;
  /** Bytes per row of q, k, v or y; a multiple of 16. */
  widthBytes: usize;
  scale: f32;
  /** Without windows, row i sees columns 0 … min(columns, diagonal + i + 1) − 1. */
  diagonal: i32;
  /** Address of the key ranges, three numbers each, or 0; see `KeyRange` of ../../backend.ts. */
  windows: usize;
  /** 1 to drop weights (see hash.ts) and multiply the kept ones by keepFactor. */
  dropping: i32;
  dropThreshold: i32;
  key0: i32;
  key1: i32;
  keepFactor: f32;
  /** Addresses of one number per row of each matrix; see `SoftmaxStatistics` of ../../backend.ts. */
  max: usize;
  sum: usize;
  accumulateDq: i32;
  accumulateDk: i32;
  accumulateDv: i32;
  /** The number of batch axes. */
  axes: usize;
}

/** One matrix of an operand. The numbers of a row are contiguous. */
@unmanaged
export class Matrix {
  start: usize;
  rowBytes: usize;
}

/** The columns that the rows of one matrix see. Columns are counted from the start of the window. */
@unmanaged
export class Window {
  /** The column of the matrix that is column 0 of the window. */
  from: usize;
  /** The number of columns; negative (treated as none) if the window ends before it begins. */
  columns: i32;
  /** Row i sees columns 0 … clamp(seenByFirst + i, 0, columns) − 1. */
  seenByFirst: i32;
}

/** Rows that are computed together, and the columns they see. */
@unmanaged
export class Strip {
  /** The first row, within its matrix. */
  row: usize;
  /** The number of rows: 4 or 1, or up to 4 matrices of one row each. */
  rows: usize;
  /** Row r of the strip sees columns 0 … seen + r·step − 1 of the window. */
  seen: usize;
  step: usize;
  widthBytes: usize;
}

/** Scratch starts with up to eight matrices, a strip and a window. Four numbers per column follow, once or twice. */
const STRIP: usize = 64;
const WINDOW: usize = 96;
const NUMBERS: usize = 128;

@inline
export function matrixOf(scratch: usize, operand: usize): Matrix {
  return changetype<Matrix>(scratch + operand * offsetof<Matrix>());
}

@inline
export function stripOf(scratch: usize): Strip {
  return changetype<Strip>(scratch + STRIP);
}

@inline
export function windowOf(scratch: usize): Window {
  return changetype<Window>(scratch + WINDOW);
}

@inline
export function numbersOf(scratch: usize): usize {
  return scratch + NUMBERS;
}

/**
 * Finds matrix `index` of each operand; the last batch axis is the fastest. An operand consists of the address of its
 * first matrix, the bytes between rows, and the bytes between matrices along each batch axis.
 */
export function findMatrices(scratch: usize, call: Call, operands: usize, index: i32): void {
  const axes = call.axes;
  const sizes = changetype<usize>(call) + offsetof<Call>();
  const given = sizes + 4 * axes;
  const next: usize = 8 + 4 * axes;
  for (let operand: usize = 0; operand < operands; operand++) {
    const matrix = matrixOf(scratch, operand);
    matrix.start = load<usize>(given + operand * next);
    matrix.rowBytes = load<usize>(given + operand * next, 4);
  }
  let left: usize = index;
  for (let axis = axes; axis > 0; axis--) {
    const size = load<usize>(sizes + 4 * (axis - 1));
    const rest = left / size;
    const at = left - rest * size;
    left = rest;
    for (let operand: usize = 0; operand < operands; operand++) {
      matrixOf(scratch, operand).start += at * load<usize>(given + operand * next + 4 * (axis - 1), 8);
    }
  }
}

/** Bytes from one matrix of an operand to the next, along the last batch axis. */
@inline
export function stepOf(call: Call, operand: usize): usize {
  const axes = call.axes;
  const given = changetype<usize>(call) + offsetof<Call>() + 4 * axes + operand * (8 + 4 * axes);
  return load<usize>(given + 4 * (axes - 1), 8);
}

/**
 * The number of matrices, starting at `matrix`, that can be computed together: four at most. They have one row each,
 * are consecutive along the last batch axis and see the same columns.
 */
@inline
export function countSingleRows(call: Call, matrix: i32, end: i32): i32 {
  const axes = call.axes;
  if (call.rows != 1 || axes < (call.windows ? 2 : 1)) return 1;
  const size = load<i32>(changetype<usize>(call) + offsetof<Call>() + 4 * (axes - 1));
  return min(4, min(end - matrix, size - (matrix % size)));
}

/** Finds the window of matrix `index`. */
export function findWindow(scratch: usize, call: Call, index: i32): void {
  const window = windowOf(scratch);
  window.from = 0;
  window.columns = <i32>call.columns;
  window.seenByFirst = call.diagonal + 1;
  if (!call.windows) return;
  // A window belongs to one index of the first batch axis; all other axes share it.
  const sizes = changetype<usize>(call) + offsetof<Call>();
  let at: usize = index;
  for (let axis = call.axes - 1; axis > 0; axis--) at /= load<usize>(sizes + 4 * axis);
  const given = call.windows + 12 * at;
  const from = <i32>f32.load(given);
  window.from = from;
  window.columns = <i32>f32.load(given, 4) - from;
  window.seenByFirst = <i32>f32.load(given, 8) + 1 - from;
}

/** Moves the start of an operand (one row per column) to the start of the window. */
@inline
export function moveToWindow(scratch: usize, operand: usize): void {
  const matrix = matrixOf(scratch, operand);
  matrix.start += windowOf(scratch).from * matrix.rowBytes;
}

/** The number of columns of the window that row `row` sees. */
@inline
function seenBy(window: Window, row: usize): i32 {
  return max(min(window.seenByFirst + <i32>row, window.columns), 0);
}

/**
 * The strip that begins at `row`: four rows if that many are left and the number of columns they see grows evenly,
 * otherwise one (at an edge of the window).
 */
@inline
export function takeStrip(scratch: usize, call: Call, row: usize): Strip {
  const strip = stripOf(scratch);
  const window = windowOf(scratch);
  const seen = seenBy(window, row);
  const growth = seenBy(window, row + 3) - seen;
  strip.row = row;
  strip.rows = row + 4 <= call.rows && (growth == 0 || growth == 3) ? 4 : 1;
  strip.seen = seen;
  strip.step = growth == 3 ? 1 : 0;
  strip.widthBytes = call.widthBytes;
  return strip;
}

/** The number of columns that the last row of the strip sees. */
@inline
export function seenByLast(strip: Strip): usize {
  return strip.seen + (strip.rows - 1) * strip.step;
}

/** Strips are padded to groups of four columns. */
@inline
export function paddedColumns(columns: usize): usize {
  return (columns + 3) & ~3;
}

/** For dropout: the element indices of a strip in column 0 of the window. Add 1 for the next column. */
@inline
export function indicesOf(scratch: usize, strip: Strip, call: Call, matrix: i32): v128 {
  const columns = <i32>call.columns;
  const first = (matrix * <i32>call.rows + <i32>strip.row) * columns + <i32>windowOf(scratch).from;
  return i32x4.add(i32x4.splat(first), i32x4.mul(i32x4.splat(columns), i32x4(0, 1, 2, 3)));
}

/** All bits set in the lanes whose element is kept, none in the others. */
@inline
export function keptLanes(call: Call, indices: v128): v128 {
  return drop(i32x4.splat(-1), indices, call.key0, call.key1, call.dropThreshold);
}
