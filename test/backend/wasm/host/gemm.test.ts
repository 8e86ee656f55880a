/**
 * The WebAssembly product, bit for bit. The order of every sum is part of the contract, so a plain loop that rounds
 * after each operation produces the same 32 bits on every path of the kernel.
 */
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import type { Matrices } from "../../../../src/backend/backend.ts";
import { loadKernels } from "../../../../src/backend/open.ts";
import { gemm } from "../../../../src/backend/wasm/host/gemm.ts";
import { Heap, type WasmBuffer } from "../../../../src/backend/wasm/host/heap.ts";
import { instantiate } from "../../../../src/backend/wasm/host/instance.ts";
import type { KernelExports } from "../../../../src/backend/wasm/host/signatures.ts";
import { BackendError, ShapeError } from "../../../../src/errors.ts";

let heap: Heap;
let kernels: Pick<KernelExports, "gemm">;

beforeAll(async () => {
  heap = new Heap();
  kernels = instantiate(await loadKernels(), heap.memory);
});

/** The layout of an operand in its buffer: which axis is contiguous, the offset, and the gap between lines. */
interface Layout {
  readonly sideBySide: "row" | "column" | "nothing";
  readonly offset: number;
  readonly gap: number;
}

interface Trial {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly batch?: readonly number[];
  /** Batch axes along which A and B repeat. */
  readonly repeats?: { readonly a: readonly boolean[]; readonly b: readonly boolean[] };
  readonly start?: "zero" | "bias" | "c";
  readonly a?: Layout;
  readonly b?: Layout;
  readonly c?: Layout;
  /** A value that occasionally occurs among the inputs. */
  readonly salt?: number;
}

type Places = Omit<Matrices, "buffer">;
interface Operand {
  readonly places: Places;
  readonly numbers: Float32Array;
}

const dense: Layout = { sideBySide: "row", offset: 0, gap: 0 };
const turned: Layout = { sideBySide: "column", offset: 0, gap: 0 };

/** An operand with numbers of many magnitudes, so that sums in a different order have different bits. */
function operand(
  layout: Layout,
  batch: readonly number[],
  repeats: readonly boolean[],
  size: [number, number],
): Operand {
  const [rows, columns] = size;
  const step = layout.sideBySide === "nothing" ? 3 : 1;
  const byColumn = layout.sideBySide === "column";
  const rowStride = byColumn ? step : step * columns + layout.gap;
  const columnStride = byColumn ? step * rows + layout.gap : step;
  let length = Math.max(1, (byColumn ? columns * columnStride : rows * rowStride) + 5);
  const batchStrides = batch.map((count, axis) => {
    if (repeats[axis]) return 0;
    const stride = length;
    length *= Math.max(1, count);
    return stride;
  });
  const numbers = Float32Array.from({ length: layout.offset + length }, (_, i) => {
    const mixed = Math.imul(i + length, 0x9e3779b1) >>> 0;
    return (mixed / 2 ** 32 - 0.5) * 2 ** (mixed % 11);
  });
  return { places: { offset: layout.offset, rowStride, columnStride, batchStrides }, numbers };
}

/** C as computed by a plain loop. Numbers between its elements keep their values. */
function plainProduct(trial: Trial, a: Operand, b: Operand, c: Operand, bias: Float32Array): Float32Array {
  const { rows, inner, columns, start = "zero", batch = [] } = trial;
  const result = c.numbers.slice();
  const count = batch.reduce((product, length) => product * length, 1);
  for (let matrix = 0; matrix < count; matrix++) {
    const [toC, toA, toB] = [c, a, b].map(({ places }) => startOf(places, batch, matrix));
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const at = toC + i * c.places.rowStride + j * c.places.columnStride;
        let sum = start === "c" ? c.numbers[at] : start === "bias" ? bias[j] : 0;
        for (let k = 0; k < inner; k++) {
          const x = a.numbers[toA + i * a.places.rowStride + k * a.places.columnStride];
          const y = b.numbers[toB + k * b.places.rowStride + j * b.places.columnStride];
          sum = Math.fround(sum + Math.fround(x * y));
        }
        result[at] = sum;
      }
    }
  }
  return result;
}

function startOf({ offset, batchStrides }: Places, batch: readonly number[], matrix: number): number {
  let at = offset;
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    at += (matrix % batch[axis]) * batchStrides[axis];
    matrix = Math.floor(matrix / batch[axis]);
  }
  return at;
}

function put(numbers: Float32Array): WasmBuffer {
  const buffer = heap.alloc(numbers.length);
  heap.floats.set(numbers, buffer.pointer / 4);
  return buffer;
}

function expectSameBits(trial: Trial): void {
  const { rows, inner, columns, start = "zero", batch = [], salt } = trial;
  const once = batch.map(() => false);
  const a = operand(trial.a ?? dense, batch, trial.repeats?.a ?? once, [rows, inner]);
  const b = operand(trial.b ?? dense, batch, trial.repeats?.b ?? once, [inner, columns]);
  const c = operand(trial.c ?? dense, batch, once, [rows, columns]);
  const bias = Float32Array.from({ length: columns }, (_, j) => Math.fround(j / 3) - 1);
  if (salt !== undefined) {
    for (let i = 3; i < a.numbers.length; i += 17) a.numbers[i] = salt;
    for (let i = 5; i < b.numbers.length; i += 29) b.numbers[i] = salt;
  }
  const buffers = [c, a, b].map(({ numbers }) => put(numbers));
  const biasBuffer = put(bias);
  const [inC, inA, inB] = [c, a, b].map(({ places }, i) => ({ ...places, buffer: buffers[i] }));
  gemm(heap, kernels, inC, inA, inB, {
    batch,
    rows,
    inner,
    columns,
    accumulate: start === "c",
    bias: start === "bias" ? biasBuffer : null,
  });
  const at = buffers[0].pointer / 4;
  const found = heap.floats.slice(at, at + c.numbers.length);
  for (const buffer of [...buffers, biasBuffer]) heap.free(buffer);
  const expected = plainProduct(trial, a, b, c, bias);
  const wrong = expected.findIndex((value, i) => !Object.is(value, found[i]));
  if (wrong >= 0) {
    expect.fail(`${JSON.stringify(trial)}: number ${wrong} is ${found[wrong]}, not ${expected[wrong]}`);
  }
}

const layouts = fc.record<Layout>({
  sideBySide: fc.constantFrom("row", "column", "nothing"),
  offset: fc.nat(9),
  gap: fc.nat(9),
});
const starts = fc.constantFrom<"zero" | "bias" | "c">("zero", "bias", "c");

it("has the bits of a plain loop for any sizes, layouts and batches", () => {
  const trials = fc.nat(3).chain((axes) => {
    const flags = fc.array(fc.boolean(), { minLength: axes, maxLength: axes });
    return fc.record<Trial>({
      rows: fc.nat(37),
      inner: fc.nat(37),
      columns: fc.nat(37),
      batch: fc.array(fc.nat(3), { minLength: axes, maxLength: axes }),
      repeats: fc.record({ a: flags, b: flags }),
      start: starts,
      a: layouts,
      b: layouts,
      c: layouts,
    });
  });
  fc.assert(fc.property(trials, expectSameBits), { numRuns: 500 });
});

it("has the bits of a plain loop with few rows or few columns", () => {
  const few = fc.nat(4);
  const many = fc.nat(67);
  const sizes = fc.oneof(fc.record({ rows: few, columns: many }), fc.record({ rows: many, columns: few }));
  const trials = fc.record({ sizes, inner: many, start: starts, a: layouts, b: layouts, c: layouts });
  const run = fc.property(trials, ({ sizes, ...rest }) => expectSameBits({ ...sizes, ...rest }));
  fc.assert(run, { numRuns: 500 });
});

it.each(["zero", "bias", "c"] as const)("continues sums across blocks, starting from %s", (start) => {
  // Several blocks of rows, k and columns, in each of the four combinations of transposes.
  for (const a of [dense, turned]) {
    for (const b of [dense, turned]) expectSameBits({ rows: 149, inner: 521, columns: 523, start, a, b });
  }
  // More columns than the vector path sums at once, whether it writes to C or to scratch.
  expectSameBits({ rows: 1, inner: 11, columns: 4111, start });
  expectSameBits({
    rows: 3,
    inner: 7,
    columns: 4111,
    start,
    c: { sideBySide: "nothing", offset: 1, gap: 2 },
  });
});

it.each(["zero", "bias", "c"] as const)("streams a large contiguous B, starting from %s", (start) => {
  // From 128 KiB on, and up to 3,072 columns, for one row and for two.
  for (const rows of [1, 2, 3]) {
    for (const columns of [181, 192]) {
      expectSameBits({ rows, inner: 190, columns, start });
      expectSameBits({ rows, inner: 190, columns, start, a: turned, batch: [2] });
      expectSameBits({ rows, inner: 190, columns, start, c: { sideBySide: "row", offset: 3, gap: 5 } });
    }
    for (const columns of [3072, 3073]) expectSameBits({ rows, inner: 13, columns, start });
  }
});

it("an empty sum equals its start value", () => {
  for (const start of ["zero", "bias", "c"] as const)
    expectSameBits({ rows: 7, inner: 0, columns: 19, start });
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, 1e-45, -0])(
  "handles %d like a plain loop",
  (salt) => {
    for (const [rows, columns] of [
      [13, 37],
      [1, 37],
      [37, 1],
    ]) {
      for (const b of [dense, turned]) expectSameBits({ rows, inner: 23, columns, b, salt });
    }
  },
);

it("a row has the same bits alone as among others", () => {
  const [rows, inner, columns] = [61, 307, 71];
  const a = put(operand(dense, [], [], [rows, inner]).numbers);
  const b = put(operand(dense, [], [], [inner, columns]).numbers);
  const [c, row] = [heap.alloc(rows * columns), heap.alloc(columns)];
  const size = { batch: [], inner, columns, accumulate: false, bias: null };
  const matrix = (buffer: WasmBuffer, width: number, offset = 0) => ({
    buffer,
    offset,
    rowStride: width,
    columnStride: 1,
    batchStrides: [],
  });
  gemm(heap, kernels, matrix(c, columns), matrix(a, inner), matrix(b, columns), { ...size, rows });
  for (let i = 0; i < rows; i++) {
    const oneRow = { ...size, rows: 1 };
    gemm(heap, kernels, matrix(row, columns), matrix(a, inner, i * inner), matrix(b, columns), oneRow);
    const at = c.pointer / 4 + i * columns;
    const [alone, among] = [row.pointer / 4, at].map((start) => heap.floats.slice(start, start + columns));
    expect(alone).toEqual(among);
  }
  for (const buffer of [a, b, c, row]) heap.free(buffer);
});

it("the parts of a product have the bits of the whole", () => {
  const [rows, inner, columns] = [53, 29, 101];
  const [a, b] = [
    operand(dense, [2], [false], [rows, inner]),
    operand(dense, [2], [false], [inner, columns]),
  ];
  const c = operand(dense, [2], [false], [rows, columns]);
  const buffers = [c, a, b].map(({ numbers }) => put(numbers));
  const [inC, inA, inB] = [c, a, b].map(({ places }, i) => ({ ...places, buffer: buffers[i] }));
  // In place of the pool: the same product in smaller parts, computed last to first.
  const inParts = {
    gemm(parameters: number, _begin: number, _end: number, scratch: number): void {
      const [partRows, partColumns] = [11, 23];
      heap.parameterWords.set([partRows, partColumns], 14);
      const parts = 2 * Math.ceil(rows / partRows) * Math.ceil(columns / partColumns);
      for (let part = parts - 1; part >= 0; part--) kernels.gemm(parameters, part, part + 1, scratch);
    },
  };
  const bias = Float32Array.from({ length: columns }, (_, j) => j / 3);
  const size = { batch: [2], rows, inner, columns, accumulate: false, bias: put(bias) };
  gemm(heap, inParts, inC, inA, inB, size);
  const at = buffers[0].pointer / 4;
  const found = heap.floats.slice(at, at + c.numbers.length);
  expect(found).toEqual(plainProduct({ batch: [2], rows, inner, columns, start: "bias" }, a, b, c, bias));
  heap.free(size.bias);
  for (const buffer of buffers) heap.free(buffer);
});

it("rejects matrices that extend past their buffers, and reports the range", () => {
  const [a, b, c] = [heap.alloc(6), heap.alloc(15), heap.alloc(10)];
  const matrix = (buffer: WasmBuffer, rowStride: number, offset = 0) => ({
    buffer,
    offset,
    rowStride,
    columnStride: 1,
    batchStrides: [],
  });
  const size = { batch: [], rows: 2, inner: 3, columns: 5, accumulate: false, bias: null };
  const run = (offsets: [number, number, number], changes = {}) =>
    gemm(heap, kernels, matrix(c, 5, offsets[0]), matrix(a, 3, offsets[1]), matrix(b, 5, offsets[2]), {
      ...size,
      ...changes,
    });
  run([0, 0, 0]);
  expect(() => run([1, 0, 0])).toThrow(ShapeError);
  expect(() => run([0, -1, 0])).toThrow(
    "gemm: A, [] matrices of (2, 3), accesses indices -1 … 4 of a buffer",
  );
  expect(() => run([0, 0, 1])).toThrow(
    "B, [] matrices of (3, 5), accesses indices 1 … 15 of a buffer of 15 numbers",
  );
  expect(() => run([0, 0, 0], { bias: a, accumulate: true })).toThrow(ShapeError);
  expect(() => run([0, 0, 0], { bias: heap.alloc(4) })).toThrow(
    "needs a bias of 5 numbers, one per column: got 4",
  );
  expect(() => run([0, 0, 0], { batch: [2] })).toThrow("a stride for each of 1 batch axes: got 0");
  expect(() => run([0, 0, 0], { batch: Array(60).fill(1) })).toThrow(BackendError);
  heap.free(a);
  expect(() => run([0, 0, 0])).toThrow("used after free");
});
