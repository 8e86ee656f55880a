// @ts-check
/**
 * The kernel `gemm` made of calls to cblas_sgemm: reads the same `Product` (../wasm/kernels/gemm-product.ts), takes
 * the same parts of it and writes the same places. Only the order of the sums is the library's own.
 *
 * BLAS knows matrices whose rows or whose columns are runs of numbers at even distances. What is laid out in another
 * way, and what is so small that the call would cost more than the product, goes to the WebAssembly kernel.
 *
 * Plain JavaScript, because the threads of the pool load it too (see ../wasm/thread-worker.js).
 * Source: BLAS Technical Forum Standard 2001, §2.8 and appendix B (C interface).
 */

/** What the C interface calls CblasRowMajor, CblasColMajor, CblasNoTrans and CblasTrans. */
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
 * @param {number} base address of the process at which the memory of the kernels begins
 * @param {WebAssembly.Memory} memory
 * @param {Pick<import("../wasm/host/signatures.ts").KernelExports, "gemm" | "copyBlock">} kernels for what BLAS does not do
 * @param {import("../wasm/host/gemm.ts").ProductWords} at places of the words of a product
 * @param {number} leastWork multiply-adds from which on the call is worth it
 * @returns {import("../wasm/host/signatures.ts").KernelExports["gemm"]}
 */
export function makeGemm(sgemm, base, memory, kernels, at, leastWork) {
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
    if (c === 0 || a === 0 || b === 0 || inner === 0 || rows * columns * inner < leastWork) {
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
      // Addresses are 32-bit words without a sign.
      toC >>>= 0;
      toA >>>= 0;
      toB >>>= 0;
      const height = Math.min(partRows, rows - row);
      const width = Math.min(partColumns, columns - column);
      if (bias !== 0) {
        const from = bias + bytesPerNumber * column;
        const [down1, across1] = [cRow / bytesPerNumber, cColumn / bytesPerNumber];
        // biome-ignore format: as the kernel has them.
        kernels.copyBlock(toC, from, 0, 1, 1, width, down1, 0, 0, across1, 0, 0, 0, 1, 0, height);
      }
      // biome-ignore format: as the library has them.
      sgemm(
        order, transA, transB, height, width, inner, 1,
        base + toA, Math.abs(a), base + toB, Math.abs(b), beta, base + toC, Math.abs(c),
      );
    }
  };
}

/**
 * How many numbers lie between the starts of two rows of a matrix whose rows are runs of numbers; the same below
 * zero for columns; 0 for a matrix that is neither.
 *
 * @param {number} rows
 * @param {number} columns
 * @param {number} rowStride in bytes, as the next
 * @param {number} columnStride
 */
function leadingDimension(rows, columns, rowStride, columnStride) {
  // A line of one number may go on anywhere: there is no next one.
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
