/** Mutants of the native kernels: see list.ts. */

import type { Mutant } from "./list.ts";

const tests = ["test/backend/native/bits.test.ts"];
const attention = ["test/backend/native/attention-bits.test.ts"];
const rows = ["test/backend/native/kernels.test.ts"];

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
    promise: "native attention combines the four parts of a dot product as WebAssembly does",
    file: "src/backend/native/kernels/attention.c",
    line: "even = sums[j][0] + sums[j][2], odd = sums[j][1] + sums[j][3];",
    broken: "even = sums[j][0] + sums[j][1], odd = sums[j][2] + sums[j][3];",
    tests: attention,
  },
  {
    promise: "native attention of one row combines the four parts of a dot product as WebAssembly does",
    file: "src/backend/native/kernels/attention-row.h",
    line: "const Four ab = SHUFFLE(a, b, 0, 4, 1, 5) + SHUFFLE(a, b, 2, 6, 3, 7);",
    broken: "const Four ab = SHUFFLE(a, b, 0, 4, 2, 6) + SHUFFLE(a, b, 1, 5, 3, 7);",
    tests: attention,
  },
  {
    promise: "native attention of one row adds exponentials in ascending order",
    file: "src/backend/native/kernels/attention-row.h",
    line: "for (const char *at = numbers; at < end; at += 16) sum = sum + load_four(at);",
    broken: "for (const char *at = end; at > numbers; at -= 16) sum = sum + load_four(at - 16);",
    tests: attention,
  },
  {
    promise: "native attention of one row rounds each product before it is added",
    file: "src/backend/native/kernels/attention-row-slices.h",
    line: "sums[r][i] = sums[r][i] + load_one(numbers + 4 * r) * parts[i];",
    broken: "sums[r][i] = (sums[r][i] - parts[i]) + (load_one(numbers + 4 * r) * parts[i] + parts[i]);",
    tests: attention,
  },
  {
    promise: "native products of one row add in the order of k",
    file: "src/backend/native/kernels/gemm-row.h",
    line: "sums[j] = sums[j] + number * load(b + j * 4 * LANES);",
    broken: "sums[j] = (sums[j] - number) + (number * load(b + j * 4 * LANES) + number);",
    tests,
  },
  {
    promise: "captured calls of a replaced kernel are replayed by the host",
    file: "src/backend/wasm/capture/captured-calls.ts",
    line: "kernel in host ? ~index : index",
    broken: "kernel in host ? index : index",
    tests: ["test/backend/wasm/capture/captured-calls.test.ts"],
  },
  {
    promise: "native attention hides later columns from each row of a strip",
    file: "src/backend/native/kernels/attention.c",
    line: "(Bits)(column < strip->seen)",
    broken: "(Bits)(column <= strip->seen)",
    tests: attention,
  },
  {
    promise: "native attention keeps hidden values out of the sums of a strip",
    file: "src/backend/native/kernels/attention-strip.h",
    line: "strip.shared = least(strip.shared, strip.seen[r])",
    broken: "strip.shared = strip.seen[r]",
    tests: attention,
  },
  {
    promise: "native attention adds to the gradients of k and v row by row, in ascending order",
    file: "src/backend/native/kernels/attention-slices.h",
    line: "sums[j] = sums[j] + load_one(numbers + 4 * (LANES * j + r)) * rows[r];",
    broken: "sums[j] += load_one(numbers + 4 * (LANES * j + (r ^ 1))) * rows[r ^ 1];",
    tests: attention,
  },
  {
    promise: "native attention skips rows that see nothing in backward",
    file: "src/backend/native/kernels/attention.c",
    line: "(uint32_t)(sum[r] == 0) << r",
    broken: "(uint32_t)(sum[r] == -1) << r",
    tests: attention,
  },
  {
    promise: "the sign of a maximum of 0 of a native row is that of WebAssembly",
    file: "src/backend/native/kernels/row.h",
    line: "return pairs[0] < pairs[1] ? pairs[1] : pairs[0];",
    broken: "return pairs[0] > pairs[1] ? pairs[0] : pairs[1];",
    tests: rows,
  },
  {
    promise: "native exponentials are added in the order of WebAssembly",
    file: "src/backend/native/kernels/row.h",
    line: "sum = sum + ((fours[0] + fours[1]) + (fours[2] + fours[3]));",
    broken: "sum = sum + fours[0] + fours[1] + fours[2] + fours[3];",
    tests: rows,
  },
  {
    promise: "a vector at the end of a native run writes nothing beyond it",
    file: "src/backend/native/kernels/vector.h",
    line: "else store_part(at, vector, count);",
    broken: "else store(at, vector);",
    tests: rows,
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
    promise: "the library of a platform's package is used before the one built here",
    file: "src/backend/native/find-library.ts",
    line: "again` }, builtIn(BUILD)];",
    broken: "again` }, builtIn(BUILD)].reverse();",
    tests: ["test/backend/native/packages.test.ts"],
  },
  {
    promise: "the default backend uses native kernels where they were built",
    file: "src/backend/open.ts",
    line: "return isNotBuilt() ? openWasm(threads, options) : openNative(threads, options);",
    broken: "return openWasm(threads, options);",
    tests: ["test/backend/native/open.test.ts"],
  },
  {
    promise: "records of native runs name the bits of wasm",
    file: "src/backend/names.ts",
    line: 'if (backend.name === "native") return "wasm";',
    broken: "",
    tests: ["test/backend/native/open.test.ts"],
  },
];
