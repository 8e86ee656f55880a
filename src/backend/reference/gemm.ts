/** Matrix products. Input: strided batches A and B. Output: C. */
import type { Matrices, ProductSize } from "../backend.ts";
import { batchStarts, numbersOf } from "./buffer.ts";

/** C[i, j] = start + Σ_p A[i, p]·B[p, j], with start = 0, bias[j] or the old C[i, j]. */
export function gemm(c: Matrices, a: Matrices, b: Matrices, size: ProductSize): void {
  const { batch, rows, columns, inner, accumulate } = size;
  const [cs, as, bs] = [c, a, b].map((matrices) => numbersOf(matrices.buffer));
  const bias = size.bias === null ? null : numbersOf(size.bias);
  const aStarts = batchStarts(a, batch);
  const bStarts = batchStarts(b, batch);
  batchStarts(c, batch).forEach((cStart, matrix) => {
    for (let i = 0; i < rows; i++) {
      const aRow = aStarts[matrix] + i * a.rowStride;
      for (let j = 0; j < columns; j++) {
        const bColumn = bStarts[matrix] + j * b.columnStride;
        const at = cStart + i * c.rowStride + j * c.columnStride;
        let sum = accumulate ? cs[at] : bias === null ? 0 : bias[j];
        for (let p = 0; p < inner; p++) sum += as[aRow + p * a.columnStride] * bs[bColumn + p * b.rowStride];
        cs[at] = sum;
      }
    }
  });
}
