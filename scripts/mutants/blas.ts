/** Breaks of the products by BLAS: see list.ts. */

import type { Mutant } from "./list.ts";

export const blas: readonly Mutant[] = [
  {
    promise: "a product by BLAS reads each matrix by its own leading dimension",
    file: "src/backend/blas/gemm.js",
    line: "base + toA, Math.abs(a), base + toB, Math.abs(b),",
    broken: "base + toA, Math.abs(b), base + toB, Math.abs(a),",
    tests: ["test/backend/blas/gemm.test.ts"],
  },
  {
    promise: "a product by BLAS starts from its bias",
    file: "src/backend/blas/gemm.js",
    line: "kernels.copyBlock(toC, from, 0,",
    broken: "kernels.copyBlock(toC, from, 1,",
    tests: ["test/backend/blas/gemm.test.ts"],
  },
  {
    promise: "a product by BLAS adds to what is there where it is told to",
    file: "src/backend/blas/gemm.js",
    line: "bias !== 0 || words[at.accumulate] !== 0 ? 1 : 0",
    broken: "bias !== 0 ? 1 : 0",
    tests: ["test/backend/blas/gemm.test.ts"],
  },
  {
    promise: "rows that overlap are not given to BLAS",
    file: "src/backend/blas/gemm.js",
    line: "rowStride >= bytesPerNumber * columns",
    broken: "rowStride >= 0",
    tests: ["test/backend/blas/gemm.test.ts"],
  },
  {
    promise: "auto does not pass over a library that was named",
    file: "src/backend/open.ts",
    line: "if (library !== null || !(error instanceof BackendError)) throw error;",
    broken: "if (!(error instanceof BackendError)) throw error;",
    tests: ["test/backend/blas/open.test.ts"],
  },
];
