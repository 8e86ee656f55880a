/**
 * cblas_sgemm as specified, in plain loops over a WebAssembly memory. Rejects invalid arguments, as the standard
 * requires.
 */
import type { Sgemm } from "../../../src/backend/blas/gemm.js";

/** The simulated address of the memory, as high as a process may have it. */
export const BASE = 0x7fc0_16fb_0000;

/** Sums in the order of our contract: the start value, then one rounded product after the other. */
export function textbookSgemm(memory: WebAssembly.Memory): Sgemm {
  // biome-ignore format: grouped as in the library.
  return (order, transA, transB, rows, columns, inner, alpha, a, lda, b, ldb, beta, c, ldc) => {
    const byColumn = order === 102;
    if (!byColumn && order !== 101) throw new Error(`order ${order}`);
    const numbers = new Float32Array(memory.buffer);
    const at = (name: string, address: number, trans: number, ld: number, height: number, width: number) => {
      if (trans !== 111 && trans !== 112) throw new Error(`${name} is transposed by ${trans}`);
      // Rows are contiguous in row-major order without transpose, or column-major order with transpose.
      const rowsRun = byColumn === (trans === 112);
      const along = rowsRun ? width : height;
      if (!Number.isSafeInteger(ld) || ld < Math.max(1, along)) throw new Error(`${name}: ${ld} is below ${along}`);
      const first = (address - BASE) / 4;
      if (!Number.isSafeInteger(first) || first < 0) throw new Error(`${name} is at ${address}`);
      return (i: number, j: number) => first + (rowsRun ? i * ld + j : i + j * ld);
    };
    const placeA = at("A", a, transA, lda, rows, inner);
    const placeB = at("B", b, transB, ldb, inner, columns);
    const placeC = at("C", c, 111, ldc, rows, columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = beta === 0 ? 0 : Math.fround(beta * numbers[placeC(i, j)]);
        for (let p = 0; p < inner; p++) {
          const product = Math.fround(Math.fround(alpha * numbers[placeA(i, p)]) * numbers[placeB(p, j)]);
          sum = Math.fround(sum + product);
        }
        numbers[placeC(i, j)] = sum;
      }
    }
  };
}
