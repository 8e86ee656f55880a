/** Looks up rows of a table by index, and adds gradients back into the table. */
import type { Buffer } from "../backend.ts";
import { numbersOf } from "./buffer.ts";

/** y[i] = table[indices[i]]. */
export function gatherRows(y: Buffer, table: Buffer, indices: Buffer, rows: number, columns: number): void {
  const [ys, tables, at] = [y, table, indices].map(numbersOf);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) ys[i * columns + j] = tables[at[i] * columns + j];
  }
}

/** table[indices[i]] = x[i]. */
export function scatterRows(table: Buffer, x: Buffer, indices: Buffer, rows: number, columns: number): void {
  const [tables, xs, at] = [table, x, indices].map(numbersOf);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) tables[at[i] * columns + j] = xs[i * columns + j];
  }
}

/** dTable[indices[i]] += dy[i]. An index that occurs twice receives both contributions. */
export function scatterAddRows(
  dTable: Buffer,
  dy: Buffer,
  indices: Buffer,
  rows: number,
  columns: number,
): void {
  const [dTables, dys, at] = [dTable, dy, indices].map(numbersOf);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) dTables[at[i] * columns + j] += dys[i * columns + j];
  }
}
