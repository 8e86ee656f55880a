/** Guarantees about the bits of fused attention in WebAssembly: a row depends only on itself and on what it sees. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AttentionSize } from "../../../../src/backend/backend.ts";
import { attention } from "../../../../src/backend/wasm/host/attention.ts";
import type { KernelExports } from "../../../../src/backend/wasm/host/signatures.ts";
import { Random } from "../../../../src/random.ts";
import {
  dense,
  expectNear,
  heap,
  hostArrays,
  inputsOf,
  kernels,
  lists,
  type Numbers,
  numbersOf,
  place,
  poisoned,
  rangesOf,
  run,
  sizes,
  statisticsOf,
  take,
  takeStatistics,
  untouched,
} from "./attention-trial.ts";

describe("the bits of a row", () => {
  it("match the row alone against a cache at any address", () => {
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
          // The cache holds the matrices in a different order, with room for more columns, which hold NaN.
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
          const statistics = statisticsOf(3);
          attention(heap, hostArrays, kernels, y, statistics, q, k, v, {
            ...size,
            rows: 1,
            columns: row + 1,
          });
          const expected = [...whole.y].reverse().map((matrix) => [matrix[row]]);
          expect(takeStatistics(statistics)).toEqual(
            [whole.max, whole.sum].map((numbers) => [2, 1, 0].map((b) => numbers[b * rows + row])),
          );
          expect(take(y, expected)).toEqual(expected);
          for (const { buffer } of [k, v, q]) heap.free(buffer);
        }
      }),
      { numRuns: 40 },
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "do not change if hidden numbers are %d",
    (poison) => {
      for (const width of [8, 7, 20]) {
        const size = { ...sizes, rows: 11, columns: 13, width };
        const inputs = inputsOf(size);
        const whole = run(inputs, size);
        for (let last = 0; last < size.rows; last++) {
          // Rows up to `last` see two columns more than their index.
          const behind = (numbers: Numbers) => poisoned(numbers, (column) => column > last + 2, poison);
          const { y, dq } = run({ ...inputs, k: behind(inputs.k), v: behind(inputs.v) }, size);
          expect(firstRows(y, last + 1)).toEqual(firstRows(whole.y, last + 1));
          expect(firstRows(dq, last + 1)).toEqual(firstRows(whole.dq, last + 1));
          // Columns from last + 2 on are hidden from the rows before `last`.
          const before = (numbers: Numbers) => poisoned(numbers, (row) => row < last, poison);
          const { dk, dv } = run({ ...inputs, q: before(inputs.q), dy: before(inputs.dy) }, size);
          expect(lastRows(dk, last + 2)).toEqual(lastRows(whole.dk, last + 2));
          expect(lastRows(dv, last + 2)).toEqual(lastRows(whole.dv, last + 2));
        }
      }
    },
  );

  it("match the sequence alone for any padding, including gradients", () => {
    const lengths = fc.record({
      before: fc.integer({ min: 0, max: 9 }),
      own: fc.integer({ min: 1, max: 21 }),
      behind: fc.integer({ min: 0, max: 9 }),
      width: fc.constantFrom(3, 4, 8, 20),
      seesAll: fc.boolean(),
    });
    fc.assert(
      fc.property(lengths, fc.nat(1000), ({ before, own, behind, width, seesAll }, seed) => {
        const one: AttentionSize = {
          ...{ ...sizes, rows: own, columns: own, width },
          mask: seesAll ? "full" : "causal",
        };
        const inputs = inputsOf(one, seed);
        const whole = run(inputs, one);
        const total = before + own + behind;
        // Row i of the sequence is row before + i, and sees the same columns: the diagonal is 0 again.
        const diagonal = seesAll ? total : 0;
        const mask = lists(3, () => ({ start: before, end: before + own, diagonal }));
        const size = { ...one, rows: total, columns: total, mask };
        // Under a causal mask the rows in front see nothing, and hold NaN. The others see the sequence, but no gradient
        // comes to them.
        const padded = (numbers: Numbers, front: number, back: number): Numbers =>
          numbers.map((matrix) => [
            ...lists(before, () => lists(width, () => front)),
            ...matrix,
            ...lists(behind, () => lists(width, () => back)),
          ]);
        const results = run(
          {
            q: padded(inputs.q, seesAll ? 3 : Number.NaN, -2),
            k: padded(inputs.k, Number.NaN, Number.NaN),
            v: padded(inputs.v, Infinity, Number.NaN),
            dy: padded(inputs.dy, seesAll ? 0 : Number.NaN, 0),
          },
          size,
        );
        const middle = (numbers: Numbers) => numbers.map((matrix) => matrix.slice(before, before + own));
        for (const name of ["y", "dq", "dk", "dv"] as const)
          expect(middle(results[name])).toEqual(whole[name]);
        for (const name of ["max", "sum"] as const) {
          const inside = results[name].filter((_, i) => i % total >= before && i % total < before + own);
          expect(inside).toEqual(whole[name]);
        }
        // Columns that no row sees receive nothing.
        const outside = (matrix: Numbers[0]) => [...matrix.slice(0, before), ...matrix.slice(before + own)];
        for (const matrix of [...results.dk, ...results.dv])
          expect(outside(matrix)).toEqual(lists(before + behind, () => lists(width, () => 0)));
      }),
      { numRuns: 60 },
    );
  });

  it("do not depend on where in a strip a key range starts and ends", () => {
    const [rows, columns, width] = [11, 7, 8];
    for (let diagonal = -rows - 1; diagonal <= columns + 1; diagonal++) {
      for (const [start, end] of [
        [0, 7],
        [2, 6],
        [3, 4],
        [5, 5],
        [6, 1],
      ]) {
        const mask = lists(3, () => ({ start, end, diagonal }));
        const size = { ...sizes, rows, columns, width, mask };
        const inputs = inputsOf(size);
        const whole = run(inputs, size);
        for (let row = 0; row < rows; row++) {
          const count = Math.max(Math.min(end, diagonal + row + 1) - start, 0);
          const alone = (numbers: Numbers) => numbers.map((matrix) => matrix.slice(start, start + count));
          const ofRow = (numbers: Numbers) => numbers.map((matrix) => [matrix[row]]);
          if (count === 0) {
            expect(ofRow(whole.y)).toEqual(lists(3, () => [lists(width, () => 0)]));
            expect(ofRow(whole.dq)).toEqual(lists(3, () => [lists(width, () => 0)]));
            expect([whole.max[row], whole.sum[row]]).toEqual([-Infinity, 0]);
            continue;
          }
          const expected = run(
            { q: ofRow(inputs.q), k: alone(inputs.k), v: alone(inputs.v), dy: ofRow(inputs.dy) },
            { ...size, rows: 1, columns: count, mask: "full" },
          );
          expect(ofRow(whole.y)).toEqual(expected.y);
          expect(ofRow(whole.dq)).toEqual(expected.dq);
        }
      }
    }
  });

  it("drop the same elements as in the whole matrix, wherever the key range is", () => {
    const dropping = { probability: 0.4, key: [3, 5] } as const;
    const mask = rangesOf([
      [2, 7, 7],
      [3, 5, 0],
      [0, 6, 1],
    ]);
    const size = { ...sizes, rows: 5, columns: 7, width: 8, mask, dropping };
    const inputs = inputsOf(size);
    // v = 1, so y is the matrix of weights: 0 if hidden or dropped.
    const identity = lists(3, () => lists(7, (j) => lists(8, (d) => (j === d ? 1 : 0))));
    const seen = run({ ...inputs, v: identity }, { ...size, dropping: null }).y;
    const kept = run({ ...inputs, v: identity }, { ...size, mask: "full" }).y;
    const both = run({ ...inputs, v: identity }, size);
    const isZero = (numbers: Numbers) =>
      numbers.map((matrix) => matrix.map((row) => row.map((x) => x === 0)));
    const expected = seen.map((matrix, b) =>
      matrix.map((row, i) => row.map((weight, j) => weight === 0 || kept[b][i][j] === 0)),
    );
    expect(isZero(both.y)).toEqual(expected);
    // Backward drops the same elements: dv is the transposed weights times dy.
    const dv = lists(3, (b) =>
      lists(7, (j) =>
        lists(8, (d) => lists(5, (i) => both.y[b][i][j] * inputs.dy[b][i][d]).reduce((a, c) => a + c)),
      ),
    );
    expectNear(both.dv, dv, 1e-6);
  });

  it.each([
    ["a causal mask", "causal" as const],
    ["key ranges", rangesOf([3, 0, 5, 1, 2].map((start, b) => [start, 7 - (b % 3), 1 - b]))],
  ])("do not depend on how the batch is divided, under %s", (_, mask) => {
    const size = { ...sizes, batch: [5], width: 20, mask };
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

  it("of single rows computed together match each row computed alone", () => {
    const cases = fc.record({
      sequences: fc.integer({ min: 1, max: 3 }),
      heads: fc.integer({ min: 1, max: 9 }),
      columns: fc.integer({ min: 1, max: 71 }),
      width: fc.constantFrom(3, 4, 8, 20, 32, 36),
      seen: fc.constantFrom("full", "causal", "ranges" as const),
      probability: fc.constantFrom(0, 0.4),
    });
    fc.assert(
      fc.property(cases, fc.nat(1000), ({ sequences, heads, columns, width, seen, probability }, seed) => {
        const count = sequences * heads;
        const random = Random.of(seed, "windows");
        const ranges = lists(sequences, () => {
          const start = random.below(columns);
          return [start, start + random.below(columns - start + 1), random.below(2 * columns)];
        });
        const mask = seen === "ranges" ? rangesOf(ranges) : seen;
        const dropping = probability === 0 ? null : { probability, key: [3, seed] as const };
        const size = { ...sizes, batch: [count], rows: 1, columns, width, dropping };
        const { q, k, v } = inputsOf(size, seed);
        /** Sequences × heads, and a kernel that computes all of them or one at a time. */
        const attend = (use: KernelExports["attention"]) => {
          const [to, ...from] = [q.map((m) => m.map((row) => row.map(() => untouched))), q, k, v].map(
            (numbers) => {
              const placed = place(numbers, { ...dense, offset: 4, rowGap: 4 });
              return { ...placed, batchStrides: [heads * placed.batchStrides[0], placed.batchStrides[0]] };
            },
          );
          const statistics = statisticsOf(count);
          const [a, b, c] = from;
          const batch = [sequences, heads];
          attention(heap, hostArrays, { attention: use }, to, statistics, a, b, c, { ...size, batch, mask });
          const results = [...takeStatistics(statistics), Array.from(numbersOf(to.buffer))];
          for (const { buffer } of [to, ...from]) heap.free(buffer);
          return results;
        };
        const together = attend(kernels.attention);
        const alone = attend((parameters, begin, end, scratch) => {
          for (let i = begin; i < end; i++) kernels.attention(parameters, i, i + 1, scratch);
        });
        expect(together).toEqual(alone);
      }),
      { numRuns: 200 },
    );
  });

  it("do not depend on the memory layout of operands, and nothing else is written", () => {
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

function firstRows(numbers: Numbers, count: number): Numbers {
  return numbers.map((matrix) => matrix.slice(0, count));
}

function lastRows(numbers: Numbers, from: number): Numbers {
  return numbers.map((matrix) => matrix.slice(from));
}
