/** Matrix views of tensors without gaps, for gemm. */
import type { Matrices, Span } from "../backend/backend.ts";
import { type Shape, sizeOf, stridesOf } from "../shape.ts";

/** The last two axes as matrices, the axes before them as a batch. */
export function matricesOf(span: Span, shape: Shape): Matrices {
  const strides = stridesOf(shape);
  const columns = shape.length - 1;
  return {
    span,
    offset: 0,
    rowStride: strides[columns - 1],
    columnStride: strides[columns],
    batchStrides: strides.slice(0, columns - 1),
  };
}

/** The same numbers read as their transposes: rows and columns change places. */
export function transposed(matrices: Matrices): Matrices {
  return { ...matrices, rowStride: matrices.columnStride, columnStride: matrices.rowStride };
}

/** All axes but the last as the rows of one matrix. */
export function rowsOf(shape: Shape): number {
  return sizeOf(shape.slice(0, -1));
}
