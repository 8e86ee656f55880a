/** Matrix views of tensors without gaps, for gemm. */
import type { Backend, Buffer, Matrices } from "../../backend/backend.ts";
import { type Shape, stridesOf } from "../../shape.ts";

const NO_BATCH: readonly number[] = [];

/** The last two axes as matrices, the axes before them as a batch. */
export function matricesOf(buffer: Buffer, shape: Shape): Matrices {
  const strides = stridesOf(shape);
  const columns = shape.length - 1;
  return {
    buffer,
    offset: 0,
    rowStride: strides[columns - 1],
    columnStride: strides[columns],
    batchStrides: strides.slice(0, columns - 1),
  };
}

/** One matrix whose rows have `columns` numbers each. */
export function matrixOf(buffer: Buffer, columns: number): Matrices {
  return { buffer, offset: 0, rowStride: columns, columnStride: 1, batchStrides: NO_BATCH };
}

/** The same numbers read as their transposes: rows and columns change places. */
export function transposed({ buffer, offset, rowStride, columnStride, batchStrides }: Matrices): Matrices {
  return { buffer, offset, rowStride: columnStride, columnStride: rowStride, batchStrides };
}

/** All axes but the last as the rows of one matrix. */
export function rowsOf(shape: Shape): number {
  let rows = 1;
  for (let axis = 0; axis < shape.length - 1; axis++) rows *= shape[axis];
  return rows;
}

/** C = A·B + bias, or C += A·B, for one matrix each: A (rows, inner), B (inner, columns). */
export function multiplyMatrices(
  backend: Backend,
  c: Matrices,
  a: Matrices,
  b: Matrices,
  { rows, inner, columns }: { readonly rows: number; readonly inner: number; readonly columns: number },
  { accumulate, bias = null }: { readonly accumulate: boolean; readonly bias?: Buffer | null },
): void {
  backend.gemm(c, a, b, { batch: NO_BATCH, rows, columns, inner, accumulate, bias });
}
