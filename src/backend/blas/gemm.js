// @ts-check
/**
 * The kernel `gemm`, built on cblas_sgemm. It reads the same `Product` (../wasm/kernels/gemm-product.ts), computes
 * the same parts and writes to the same addresses. Only the order of the sums is up to the library.
 *
 * BLAS handles matrices whose rows or columns are contiguous and evenly spaced. Other layouts, and products so small
 * that the call would cost more than the product, go to the WebAssembly kernel.
 *
 * Plain JavaScript, because the threads of the pool load it too (see ../wasm/threads/worker.js).
 * Source: BLAS Technical Forum Standard 2001, §2.8 and appendix B (C interface).
 */

/** CblasRowMajor, CblasColMajor, CblasNoTrans and CblasTrans of the C interface. */
const byRow = 101;
const byColumn = 102;
const asItIs = 111;
const transposed = 112;

const bytesPerNumber = 4;

/**
 * @typedef {(
 *   order: number, transA: number, transB: number, rows: number, columns: number, inner: number, alpha: number,
 *   a: number, lda: number, b: number, ldb: number, beta: number, c: number, ldc: number,
 * ) => void} Sgemm cblas_sgemm; a, b and c are addresses of the process
 */

/**
 * @param {Sgemm} sgemm
 * @param {number} base address in the process where the memory of the kernels begins
 * @param {WebAssembly.Memory} memory
 * @param {Pick<import("../wasm/host/signatures.ts").KernelExports, "gemm" | "copyBlock">} kernels for the parts that
 * BLAS does not compute
 * @param {import("../wasm/host/gemm.ts").ProductWords} at indices of the words of a product
 * @param {number} minWork multiply-adds from which on the call is worthwhile
 * @returns {import("../wasm/host/signatures.ts").KernelExports["gemm"]}
 */
export function makeGemm(sgemm, base, memory, kernels, at, minWork) {
  return (parameters, begin, end, scratch) => {
    const words = new Int32Array(memory.buffer, parameters);
    const rows = words[at.rows];
    const columns = words[at.columns];
    const inner = words[at.inner];
    const [cRow, cColumn] = [words[at.cRow], words[at.cColumn]];
    const [aRow, aColumn] = [words[at.aRow], words[at.aColumn]];
    const [bRow, bColumn] = [words[at.bRow], words[at.bColumn]];
    const c = leadingDimension(rows, columns, cRow, cColumn);
    const a = leadingDimension(rows, inner, aRow, aColumn);
    const b = leadingDimension(inner, columns, bRow, bColumn);
    if (c === 0 || a === 0 || b === 0 || inner === 0 || rows * columns * inner < minWork) {
      kernels.gemm(parameters, begin, end, scratch);
      return;
    }
    const order = c > 0 ? byRow : byColumn;
    const transA = a > 0 === c > 0 ? asItIs : transposed;
    const transB = b > 0 === c > 0 ? asItIs : transposed;
    const bias = words[at.bias] >>> 0;
    const beta = bias !== 0 || words[at.accumulate] !== 0 ? 1 : 0;
    const [partRows, partColumns] = [words[at.partRows], words[at.partColumns]];
    const across = Math.ceil(columns / partColumns);
    const down = Math.ceil(rows / partRows);
    for (let part = begin; part < end; part++) {
      const column = (part % across) * partColumns;
      const row = (Math.floor(part / across) % down) * partRows;
      let toC = words[at.c] + row * cRow + column * cColumn;
      let toA = words[at.a] + row * aRow;
      let toB = words[at.b] + column * bColumn;
      let matrix = Math.floor(part / across / down);
      for (let axis = words[at.axes] - 1; axis >= 0; axis--) {
        const place = at.head + at.axis * axis;
        const index = matrix % words[place];
        matrix = Math.floor(matrix / words[place]);
        toC += index * words[place + 1];
        toA += index * words[place + 2];
        toB += index * words[place + 3];
      }
      // Addresses are unsigned 32-bit words.
      toC >>>= 0;
      toA >>>= 0;
      toB >>>= 0;
      const height = Math.min(partRows, rows - row);
      const width = Math.min(partColumns, columns - column);
      if (bias !== 0) {
        const from = bias + bytesPerNumber * column;
        const [down1, across1] = [cRow / bytesPerNumber, cColumn / bytesPerNumber];
        // biome-ignore format: grouped as in the kernel.
        kernels.copyBlock(toC, from, 0, 1, 1, width, down1, 0, 0, across1, 0, 0, 0, 1, 0, height);
      }
      // biome-ignore format: grouped as in the library.
      sgemm(
        order, transA, transB, height, width, inner, 1,
        base + toA, Math.abs(a), base + toB, Math.abs(b), beta, base + toC, Math.abs(c),
      );
    }
  };
}

/**
 * The distance, in numbers, between consecutive rows if rows are contiguous; minus the distance between consecutive
 * columns if columns are contiguous; 0 if neither is.
 *
 * @param {number} rows
 * @param {number} columns
 * @param {number} rowStride in bytes, like columnStride
 * @param {number} columnStride
 */
function leadingDimension(rows, columns, rowStride, columnStride) {
  // A line of one number is contiguous with any stride, because there is no next number.
  if (columnStride === bytesPerNumber || columns === 1) {
    if (rows === 1) return columns;
    if (rowStride >= bytesPerNumber * columns) return rowStride / bytesPerNumber;
  }
  if (rowStride === bytesPerNumber || rows === 1) {
    if (columns === 1) return -rows;
    if (columnStride >= bytesPerNumber * rows) return -columnStride / bytesPerNumber;
  }
  return 0;
}
