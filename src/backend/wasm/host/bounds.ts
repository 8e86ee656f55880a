/** Bounds checks of strided operands. They keep kernels from accessing memory outside a buffer. */
import { ShapeError } from "../../../errors.ts";
import type { Matrices } from "../../backend.ts";

/** @throws ShapeError unless every element of a batch of (rows, columns) matrices lies within its buffer */
export function checkReach(
  name: string,
  { buffer, offset, rowStride, columnStride, batchStrides }: Matrices,
  batch: readonly number[],
  rows: number,
  columns: number,
): void {
  if (batchStrides.length !== batch.length) {
    throw new ShapeError(
      `${name} needs a stride for each of ${batch.length} batch axes: got ${batchStrides.length}`,
    );
  }
  if (rows === 0 || columns === 0) return;
  let first = offset + Math.min(0, (rows - 1) * rowStride) + Math.min(0, (columns - 1) * columnStride);
  let last = offset + Math.max(0, (rows - 1) * rowStride) + Math.max(0, (columns - 1) * columnStride);
  for (let axis = 0; axis < batch.length; axis++) {
    const reach = (batch[axis] - 1) * batchStrides[axis];
    if (reach < 0) first += reach;
    else last += reach;
  }
  if (first >= 0 && last < buffer.length) return;
  throw new ShapeError(
    `${name}, [${batch}] matrices of (${rows}, ${columns}), accesses indices ${first} … ${last} of a buffer ` +
      `of ${buffer.length} numbers`,
  );
}
