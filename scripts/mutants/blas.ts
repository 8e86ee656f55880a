/** Mutants of the BLAS products: see list.ts. */

import type { Mutant } from "./list.ts";

export const blas: readonly Mutant[] = [
  {
    promise: "BLAS products pass each matrix's own leading dimension",
    file: "src/backend/blas/gemm.js",
    line: "base + toA, Math.abs(a), base + toB, Math.abs(b),",
    broken: "base + toA, Math.abs(b), base + toB, Math.abs(a),",
    tests: ["test/backend/blas/gemm.test.ts"],
  },
  {
    promise: "BLAS products start from the bias",
    file: "src/backend/blas/gemm.js",
    line: "kernels.copyBlock(toC, from, 0,",
    broken: "kernels.copyBlock(toC, from, 1,",
    tests: ["test/backend/blas/gemm.test.ts"],
  },
  {
    promise: "BLAS products accumulate into C if asked to",
    file: "src/backend/blas/gemm.js",
    line: "bias !== 0 || words[at.accumulate] !== 0 ? 1 : 0",
    broken: "bias !== 0 ? 1 : 0",
    tests: ["test/backend/blas/gemm.test.ts"],
  },
  {
    promise: "matrices with overlapping rows are not passed to BLAS",
    file: "src/backend/blas/gemm.js",
    line: "rowStride >= bytesPerNumber * columns",
    broken: "rowStride >= 0",
    tests: ["test/backend/blas/gemm.test.ts"],
  },
  {
    promise: "a library of SciPy, whose functions have a prefix, is used",
    file: "src/backend/blas/library.js",
    line: "library.func(prefix + name + suffix, result, args)",
    broken: "library.func(name + suffix, result, args)",
    tests: ["test/backend/blas/library.test.ts"],
  },
];
