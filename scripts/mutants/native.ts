/** Mutants of the native kernels: see list.ts. */

import type { Mutant } from "./list.ts";

const tests = ["test/backend/native/bits.test.ts"];

export const native: readonly Mutant[] = [
  {
    promise: "native products round each product before it is added",
    file: "scripts/build-native.ts",
    line: '"-ffp-contract=off"',
    broken: '"-ffp-contract=fast", "-march=native"',
    tests,
  },
  {
    promise: "native products add in the order of k",
    file: "src/backend/native/kernels/gemm.c",
    line: "sums[i][j] = sums[i][j] + number * terms_of_b[j];",
    broken: "sums[i][j] = (sums[i][j] - number) + (number * terms_of_b[j] + number);",
    tests,
  },
  {
    promise: "a block of a native product continues from the sum before it",
    file: "src/backend/native/kernels/gemm.c",
    line: "if (product->accumulate || k > 0) {",
    broken: "if (product->accumulate) {",
    tests,
  },
  {
    promise: "a tile at the edge of a native product starts from the bias",
    file: "src/backend/native/kernels/gemm.c",
    line: "copy_tile(aside, start, rows, columns);",
    broken: "copy_tile(aside, c, rows, columns);",
    tests,
  },
  {
    promise: "a damaged library of native kernels is not opened",
    file: "src/backend/native/find-library.ts",
    line: "if (library.sha256 !== sha256(",
    broken: "if (library.sha256 === sha256(",
    tests: ["test/backend/native/find-library.test.ts"],
  },
  {
    promise: "a library of other sources is not opened",
    file: "src/backend/native/find-library.ts",
    line: "if (sources !== digestOfSources(kernels))",
    broken: 'if (sources === "")',
    tests: ["test/backend/native/find-library.test.ts"],
  },
  {
    promise: "records of native runs name the bits of wasm",
    file: "src/backend/names.ts",
    line: 'if (backend.name === "native") return "wasm";',
    broken: "",
    tests: ["test/backend/native/open.test.ts"],
  },
];
