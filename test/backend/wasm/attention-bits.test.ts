/**
 * The promises of fused attention in WebAssembly about bits: a row depends on itself and on what it sees alone, and
 * special numbers stay where they are seen.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attention } from "../../../src/backend/wasm/attention.ts";
import type { KernelExports } from "../../../src/backend/wasm/signatures.ts";
import {
  dense,
  heap,
  inputsOf,
  kernels,
  lists,
  type Numbers,
  numbersOf,
  place,
  run,
  sizes,
  take,
  untouched,
} from "./attention-trial.ts";

describe("the bits of a row", () => {
  it("are those of the row alone against a cache, wherever that is", () => {
    const lengths = fc.record({
      rows: fc.integer({ min: 1, max: 37 }),
      width: fc.constantFrom(3, 4, 8, 20, 32, 40),
    });
    fc.assert(
      fc.property(lengths, fc.nat(1000), ({ rows, width }, seed) => {
        const size = { ...sizes, rows, columns: rows, width };
        const inputs = inputsOf(size, seed);
        const whole = run(inputs, size);
        for (const row of new Set([0, rows >> 1, rows - 1])) {
          // The cache holds the matrices in another order, with room for more columns, which hold NaN.
          const cached = (numbers: Numbers) =>
            [...numbers]
              .reverse()
              .map((matrix) => [
                ...matrix.slice(0, row + 1),
                ...lists(5, () => lists(width, () => Number.NaN)),
              ]);
          const [k, v] = [inputs.k, inputs.v].map((numbers) =>
            place(cached(numbers), { ...dense, rowGap: 4 }),
          );
          const q = place(
            [...inputs.q].reverse().map((matrix) => [matrix[row]]),
            dense,
          );
          const y = place(
            inputs.q.map((matrix) => [matrix[row].map(() => untouched)]),
            dense,
          );
          const logSumExp = heap.alloc(3);
          attention(heap, kernels, y, logSumExp, q, k, v, { ...size, rows: 1, columns: row + 1 });
          const expected = [...whole.y].reverse().map((matrix) => [matrix[row]]);
          expect(Array.from(numbersOf(logSumExp))).toEqual(
            [2, 1, 0].map((b) => whole.logSumExp[b * rows + row]),
          );
          expect(take(y, expected)).toEqual(expected);
          for (const { span } of [k, v, q]) heap.free(span);
          heap.free(logSumExp);
        }
      }),
      { numRuns: 40 },
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "do not change when what is hidden is %d",
    (poison) => {
      for (const width of [8, 7, 20]) {
        const size = { ...sizes, rows: 11, columns: 13, width };
        const inputs = inputsOf(size);
        const whole = run(inputs, size);
        for (let last = 0; last < size.rows; last++) {
          // Rows up to `last` see two columns more than their number.
          const behind = (numbers: Numbers) => poisoned(numbers, (column) => column > last + 2, poison);
          const { y, dq } = run({ ...inputs, k: behind(inputs.k), v: behind(inputs.v) }, size);
          expect(firstRows(y, last + 1)).toEqual(firstRows(whole.y, last + 1));
          expect(firstRows(dq, last + 1)).toEqual(firstRows(whole.dq, last + 1));
          // And columns from last + 2 on are hidden from the rows before `last`.
          const before = (numbers: Numbers) => poisoned(numbers, (row) => row < last, poison);
          const { dk, dv } = run({ ...inputs, q: before(inputs.q), dy: before(inputs.dy) }, size);
          expect(lastRows(dk, last + 2)).toEqual(lastRows(whole.dk, last + 2));
          expect(lastRows(dv, last + 2)).toEqual(lastRows(whole.dv, last + 2));
        }
      }
    },
  );

  it("do not depend on how the batch is divided", () => {
    const size = { ...sizes, batch: [5], width: 20 };
    const inputs = inputsOf(size);
    const oneByOne =
      (kernel: KernelExports["attention"]): KernelExports["attention"] =>
      (parameters, begin, end, scratch) => {
        for (let matrix = end - 1; matrix >= begin; matrix--) kernel(parameters, matrix, matrix + 1, scratch);
      };
    const use = {
      attention: oneByOne(kernels.attention),
      attentionBackward: oneByOne(kernels.attentionBackward),
    };
    expect(run(inputs, size, { use })).toEqual(run(inputs, size));
  });

  it("do not depend on how operands lie in memory, and nothing else is written", () => {
    for (const width of [7, 8]) {
      const size = { ...sizes, width };
      const inputs = inputsOf(size);
      const whole = run(inputs, size);
      for (const layout of [
        { columnStride: 1, rowGap: 5, offset: 3 },
        { columnStride: 3, rowGap: 2, offset: 1 },
      ]) {
        expect(run(inputs, size, { layout })).toEqual(whole);
      }
    }
  });
});

function poisoned(numbers: Numbers, where: (row: number) => boolean, poison: number): Numbers {
  return numbers.map((matrix) => matrix.map((row, i) => (where(i) ? row.map(() => poison) : row)));
}

function firstRows(numbers: Numbers, count: number): Numbers {
  return numbers.map((matrix) => matrix.slice(0, count));
}

function lastRows(numbers: Numbers, from: number): Numbers {
  return numbers.map((matrix) => matrix.slice(from));
}

describe("special numbers", () => {
  it("a NaN that is seen is not lost", () => {
    const size = { ...sizes, rows: 5, columns: 5 };
    for (const name of ["k", "v"] as const) {
      const inputs = inputsOf(size);
      const spoiled = run(
        { ...inputs, [name]: poisoned(inputs[name], (column) => column === 2, Number.NaN) },
        size,
      );
      for (const matrix of [...spoiled.y, ...spoiled.dq]) {
        expect(matrix.map((row) => row.some(Number.isNaN))).toEqual([false, false, true, true, true]);
      }
    }
  });

  it("a NaN among scores of −∞ is not lost", () => {
    const size = { ...sizes, batch: [1], rows: 1, columns: 2, width: 4 };
    const { y, logSumExp } = run(
      {
        q: [[[1, 1, 1, 1]]],
        k: [[lists(4, () => -Infinity), lists(4, () => Number.NaN)]],
        v: [lists(2, () => [1, 2, 3, 4])],
        dy: [[[1, 1, 1, 1]]],
      },
      size,
    );
    expect(y).toEqual([[lists(4, () => Number.NaN)]]);
    expect(logSumExp).toEqual([Number.NaN]);
  });

  it.each([0, 2, 4])("row %i, which sees only −∞, gives zeros and takes no part in gradients", (blind) => {
    const size = { ...sizes, rows: 5, visible: "all" } as const;
    const inputs = inputsOf(size);
    // Products of 1e30 and −1e30 leave single precision for −∞; those of 0 with them are 0.
    const withFirst = (numbers: Numbers, first: (i: number) => number): Numbers =>
      numbers.map((matrix) => matrix.map((row, i) => [first(i), ...row.slice(1)]));
    const q = withFirst(inputs.q, (row) => (row === blind ? 1e30 : 0));
    const k = withFirst(inputs.k, () => -1e30);
    const results = run({ ...inputs, q, k }, size);
    for (const matrix of [...results.y, ...results.dq]) expect(matrix[blind]).toEqual(lists(8, () => 0));
    expect(results.logSumExp.map((total) => total === -Infinity)).toEqual(
      lists(15, (row) => row % 5 === blind),
    );
    // The other rows give what they would give without it.
    const others = (numbers: Numbers) => numbers.map((matrix) => matrix.filter((_, row) => row !== blind));
    const rest = run({ q: others(q), k, v: inputs.v, dy: others(inputs.dy) }, { ...size, rows: 4 });
    expect(others(results.y)).toEqual(rest.y);
    expect(results.dk).toEqual(rest.dk);
    expect(results.dv).toEqual(rest.dv);
  });
});
