/** Looks up rows of a table by index. Indices are stored as f32. */
import { at, putRun } from "./vector";

/** y[i] = table[indices[i]] for rows begin … end−1. */
export function gatherRows(
  y: usize, table: usize, indices: usize, columns: i32, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const from = at(table, <i32>f32.load(at(indices, row)) * columns);
    const to = at(y, row * columns);
    putRun(to, from, columns, false);
  }
}

/** table[indices[i]] = x[i] for rows begin … end−1; a negative index skips its row. */
export function scatterRows(
  table: usize, x: usize, indices: usize, columns: i32, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const index = <i32>f32.load(at(indices, row));
    if (index >= 0) putRun(at(table, index * columns), at(x, row * columns), columns, false);
  }
}

/**
 * dTable[indices[i]] += dy[i] for columns begin … end−1 of every row, in the order of i. The contributions to an
 * index that occurs twice are added in the same order however the columns are divided.
 */
export function scatterAddRows(
  dTable: usize, dy: usize, indices: usize, rows: i32, columns: i32, begin: i32, end: i32,
): void {
  for (let row = 0; row < rows; row++) {
    const from = at(dy, row * columns + begin);
    const to = at(dTable, <i32>f32.load(at(indices, row)) * columns + begin);
    putRun(to, from, end - begin, true);
  }
}
