/** Batches of matrices with random layouts. */
import type { Buffer, Matrices } from "../../../src/backend/backend.ts";
import { layOut } from "./layout.ts";
import type { Trial, Twin } from "./trial.ts";

/** A batch of matrices, with a random layout in a twin. */
export interface Operand {
  readonly twin: Twin;
  readonly layout: Omit<Matrices, "buffer">;
}

export const over = ({ layout }: Operand, buffer: Buffer): Matrices => ({ ...layout, buffer });

export function operand(
  trial: Trial,
  batch: readonly number[],
  rows: number,
  columns: number,
  { output = false, specials = false, repeats = true, lay = layOut } = {},
): Operand {
  const { offset, strides, length } = lay(trial, [...batch, rows, columns], {
    repeats: repeats && !output,
  });
  const [rowStride, columnStride] = strides.slice(batch.length);
  const layout = { offset, rowStride, columnStride, batchStrides: strides.slice(0, batch.length) };
  if (output) return { twin: trial.output(length), layout };
  const numbers = specials
    ? trial.wild(length, [Number.NaN, Number.POSITIVE_INFINITY, 0])
    : trial.normals(length);
  return { twin: trial.buffer(numbers), layout };
}

/** The index of element (i, j) of each matrix of a batch. */
export function places({ layout }: Operand, batch: readonly number[]): ((i: number, j: number) => number)[] {
  const starts = batch.reduce(
    (all, length, axis) =>
      all.flatMap((start) => Array.from({ length }, (_, i) => start + i * layout.batchStrides[axis])),
    [layout.offset],
  );
  return starts.map((start) => (i, j) => start + i * layout.rowStride + j * layout.columnStride);
}
