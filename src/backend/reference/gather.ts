/** Looks up rows of a table by index, and adds gradients back into the table. */
import type { Buffer, HostIntegers } from "../backend.ts";
import { numbersOf } from "./buffer.ts";

/** y[i] = table[indices[i]]. */
export function gatherRows(
  y: Buffer,
  table: Buffer,
  indices: HostIntegers,
  rows: number,
  columns: number,
): void {
  const [ys, tables] = [y, table].map(numbersOf);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) ys[i * columns + j] = tables[indices[i] * columns + j];
  }
}

/** table[indices[i]] = x[i]; a negative index skips its row. */
export function scatterRows(
  table: Buffer,
  x: Buffer,
  indices: HostIntegers,
  rows: number,
  columns: number,
): void {
  const [tables, xs] = [table, x].map(numbersOf);
  for (let i = 0; i < rows; i++) {
    if (indices[i] < 0) continue;
    for (let j = 0; j < columns; j++) tables[indices[i] * columns + j] = xs[i * columns + j];
  }
}

/** dTable[indices[i]] += dy[i]. An index that occurs twice receives both contributions. */
export function scatterAddRows(
  dTable: Buffer,
  dy: Buffer,
  indices: HostIntegers,
  rows: number,
  columns: number,
): void {
  const [dTables, dys] = [dTable, dy].map(numbersOf);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) dTables[indices[i] * columns + j] += dys[i * columns + j];
  }
}
