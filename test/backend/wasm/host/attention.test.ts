/**
 * Fused attention in WebAssembly, compared with the formula in double precision, with finite differences of the
 * formula, and with its composition from plain kernels. (The conformance suite compares it with the reference over
 * random layouts.)
 */
import { describe, expect, it } from "vitest";
import type { AttentionSize } from "../../../../src/backend/backend.ts";
import { attention } from "../../../../src/backend/wasm/host/attention.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";
import { BackendError, ShapeError } from "../../../../src/errors.ts";
import {
  dense,
  expectNear,
  heap,
  hostArrays,
  type Inputs,
  inputsOf,
  kernels,
  lists,
  module,
  type Numbers,
  numbersOf,
  place,
  rangesOf,
  run,
  sizes,
  statisticsOf,
  takeStatistics,
  untouched,
} from "./attention-trial.ts";

function seenBy(row: number, { rows, columns, mask }: AttentionSize): number {
  return mask === "full" ? columns : columns - rows + row + 1;
}

/** softmax(scale·q·kᵀ)·v of one matrix, and the statistics of each row, in double precision. */
function formula(
  q: Numbers[0],
  k: Numbers[0],
  v: Numbers[0],
  size: AttentionSize,
): { y: number[][]; max: number[]; sum: number[] } {
  const [maxima, sums]: [number[], number[]] = [[], []];
  const y = q.map((row, i) => {
    const seen = k.slice(0, seenBy(i, size));
    const scores = seen.map((key) => size.scale * row.reduce((sum, x, d) => sum + x * key[d], 0));
    const max = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - max));
    const sum = powers.reduce((a, b) => a + b, 0);
    maxima.push(max);
    sums.push(sum);
    return row.map((_, d) => powers.reduce((all, power, j) => all + (power / sum) * v[j][d], 0));
  });
  return { y, max: maxima, sum: sums };
}

describe("matches the formula", () => {
  const shapes = [1, 2, 3, 4, 7, 8, 13].flatMap((rows) => [rows, rows + 5].map((columns) => [rows, columns]));
  it.each([1, 3, 4, 7, 8, 12, 20, 32, 44])("forward over width %i", (width) => {
    for (const [rows, columns] of shapes) {
      for (const mask of ["full", "causal"] as const) {
        const size = { ...sizes, rows, columns, width, mask };
        const inputs = inputsOf(size);
        const { y, max, sum } = run(inputs, size);
        const truth = inputs.q.map((q, b) => formula(q, inputs.k[b], inputs.v[b], size));
        // Inputs are in [−1, 1], so |score| ≤ scale·width, with an error of width roundings of that. A weight has the
        // same error plus that of the sum over its row, and y is a mean of numbers below 1.
        const bound = 2 ** -24 * (8 + columns + width * (1 + size.scale * width));
        expectNear(
          y,
          truth.map((matrix) => matrix.y),
          bound,
        );
        expectNear([[max]], [[truth.flatMap((matrix) => matrix.max)]], bound);
        expectNear([[sum]], [[truth.flatMap((matrix) => matrix.sum)]], columns * bound);
      }
    }
  });

  it.each([
    [5, 7, 8, "causal"],
    [5, 7, 3, "full"],
    [6, 11, 20, "causal"],
    [2, 2, 13, "causal"],
  ] as const)(
    "backward over %i rows, %i columns, width %i, %s, by finite differences",
    (rows, columns, width, mask) => {
      const size = { ...sizes, rows, columns, width, mask };
      const inputs = inputsOf(size, 3);
      const results = run(inputs, size);
      // Single precision has an error of 2⁻²⁴ for sums of some hundred terms below 1; the error of the differences is
      // about h².
      const bound = 1e-5;
      expectNear(results.dq, derivatives(inputs, "q", size), bound);
      expectNear(results.dk, derivatives(inputs, "k", size), bound);
      expectNear(results.dv, derivatives(inputs, "v", size), bound);
    },
  );
});

/** The derivatives of ⟨y, dy⟩ by central differences, one element after the other. */
function derivatives(inputs: Inputs, name: "q" | "k" | "v", size: AttentionSize): Numbers {
  const h = 1e-4;
  return inputs[name].map((matrix, b) => {
    const moving = matrix.map((row) => [...row]);
    const one = { q: inputs.q[b], k: inputs.k[b], v: inputs.v[b] };
    one[name] = moving;
    const dy = inputs.dy[b].flat();
    const lossAt = (i: number, d: number, x: number) => {
      moving[i][d] = x;
      const y = formula(one.q, one.k, one.v, size).y.flat();
      return y.reduce((sum, number, at) => sum + number * dy[at], 0);
    };
    return matrix.map((row, i) =>
      row.map((x, d) => {
        const derivative = (lossAt(i, d, x + h) - lossAt(i, d, x - h)) / (2 * h);
        moving[i][d] = x;
        return derivative;
      }),
    );
  });
}

it.each([
  [true, false, false],
  [false, true, false],
  [false, false, true],
  [true, true, true],
])("accumulates into dq (%s), dk (%s), dv (%s) or overwrites them", (dq, dk, dv) => {
  for (const width of [7, 8]) {
    const size = { ...sizes, width };
    const inputs = inputsOf(size);
    const plain = run(inputs, size);
    const added = run(inputs, size, { accumulate: { dq, dk, dv }, start: 2 });
    const plus = (numbers: Numbers, by: number) =>
      numbers.map((matrix) => matrix.map((row) => row.map((x) => x + by)));
    // Partial sums stay below 4, and each of at most 7 additions rounds them by 2⁻²³.
    expectNear(added.dq, plus(plain.dq, dq ? 2 : 0), dq ? 7 * 2 ** -22 : 0);
    expectNear(added.dk, plus(plain.dk, dk ? 2 : 0), dk ? 7 * 2 ** -22 : 0);
    expectNear(added.dv, plus(plain.dv, dv ? 2 : 0), dv ? 7 * 2 ** -22 : 0);
  }
});

describe("dropout", () => {
  const dropping = { probability: 0.3, key: [0xfedcba98, 0x12345678] } as const;

  it("equals softmax, dropout and product, with the same elements dropped", async () => {
    const backend = new WasmBackend(module);
    const size = { ...sizes, rows: 5, columns: 8, width: 8, dropping };
    const count = 3 * size.rows * size.columns;
    const inputs = inputsOf(size);
    // v = 1, so y is the matrix of weights.
    const identity = lists(3, () => lists(8, (j) => lists(8, (d) => (j === d ? 1 : 0))));
    const { y } = run({ ...inputs, v: identity }, size);
    const [q, k, weights] = [inputs.q.flat(2), inputs.k.flat(2), lists(count, () => 0)].map((numbers) => {
      const buffer = backend.alloc(numbers.length);
      backend.write(buffer, numbers);
      return buffer;
    });
    backend.gemm(
      { buffer: weights, offset: 0, rowStride: 8, columnStride: 1, batchStrides: [40] },
      { buffer: q, offset: 0, rowStride: 8, columnStride: 1, batchStrides: [40] },
      { buffer: k, offset: 0, rowStride: 1, columnStride: 8, batchStrides: [64] },
      { batch: [3], rows: 5, columns: 8, inner: 8, accumulate: false, bias: null },
    );
    backend.scale({ buffer: weights, accumulate: false }, weights, size.scale);
    backend.softmaxRows(weights, weights, { count: 3, rows: 5, columns: 8 }, "causal");
    backend.dropout({ buffer: weights, accumulate: false }, weights, dropping);
    const expected = Array.from(await backend.read(weights));
    const actual = y.flat(2);
    const dropped = actual.filter((weight) => weight === 0).length;
    expect(actual.map((weight) => weight === 0)).toEqual(expected.map((weight) => weight === 0));
    // 30 of the 120 weights are hidden, and about 27 of the rest are dropped.
    expect(dropped).toBeGreaterThan(40);
    expect(dropped).toBeLessThan(75);
    expectNear([[actual]], [[expected]], 1e-6);
    await backend.close();
  });

  it("drops the same elements backward", () => {
    const size = { ...sizes, rows: 6, columns: 8, width: 8, dropping };
    const inputs = inputsOf(size);
    const identity = lists(3, () => lists(8, (j) => lists(8, (d) => (j === d ? 1 : 0))));
    const { y: weights } = run({ ...inputs, v: identity }, size);
    const { dv } = run(inputs, size);
    const expected = dv.map((matrix, b) =>
      matrix.map((row, j) =>
        row.map((_, d) => weights[b].reduce((sum, weight, i) => sum + weight[j] * inputs.dy[b][i][d], 0)),
      ),
    );
    expectNear(dv, expected, 1e-6);
    // y is linear in v, and so is ⟨y, dy⟩: for fixed weights, Σ dv ⊙ v = Σ dy ⊙ y.
    const { y, dq, dk } = run(inputs, size);
    const dot = (a: Numbers, b: Numbers) => a.flat(2).reduce((sum, x, i) => sum + x * b.flat(2)[i], 0);
    expect(dot(dv, inputs.v)).toBeCloseTo(dot(inputs.dy, y), 5);
    // Scores depend on q and k only through q·kᵀ: scaling q by a factor and k by its inverse changes nothing.
    expect(dot(dq, inputs.q)).toBeCloseTo(dot(dk, inputs.k), 5);
    // The derivative along one direction, by differences of the kernel itself.
    const h = 2 ** -6;
    const along = (by: number) =>
      run({ ...inputs, q: inputs.q.map((m) => m.map((r) => r.map((x) => x * (1 + by)))) }, size).y;
    const derivative = (dot(along(h), inputs.dy) - dot(along(-h), inputs.dy)) / (2 * h);
    expect(dot(dq, inputs.q)).toBeCloseTo(derivative, 3);
  });
});

it("reports mismatched sizes", () => {
  const size = { ...sizes, rows: 5, columns: 3 };
  expect(() => run(inputsOf(size), size)).toThrow(
    new ShapeError("attention: causal needs columns ≥ rows: got 5 rows over 3 columns"),
  );
  expect(() => run(inputsOf(sizes), { ...sizes, width: 9 })).toThrow(ShapeError);
  expect(() => run(inputsOf(sizes), { ...sizes, batch: [3, 1] })).toThrow(
    "y needs a stride for each of 2 batch axes: got 1",
  );
});

it.each([
  [[8, 7, 0], "got start 8, end 7, diagonal 0"],
  [[-1, 7, 0], "got start -1, end 7, diagonal 0"],
  [[0, 8, 0], "got start 0, end 8, diagonal 0"],
  [[0, 2.5, 0], "got start 0, end 2.5, diagonal 0"],
  [[Number.NaN, 7, 0], "got start NaN, end 7, diagonal 0"],
  [[0, 7, 0.5], "got start 0, end 7, diagonal 0.5"],
  [[0, 7, -Infinity], "got start 0, end 7, diagonal -Infinity"],
])("rejects the key range %j", (range, found) => {
  const message = `wasm: attention: key range 2 needs whole numbers, start and end in 0 … 7 and a diagonal in −2²⁴ … 2²⁴: ${found}`;
  const mask = rangesOf([[0, 7, 0], [7, 0, -(2 ** 24)], range]);
  expect(() => run(inputsOf(sizes), { ...sizes, mask })).toThrow(new BackendError(message));
});

it("needs one key range for each index of the first batch axis, and that axis", () => {
  const range = { start: 0, end: 7, diagonal: 0 };
  const needs = (count: number, found: number) =>
    new ShapeError(
      `attention: needs a key range for each of ${count} matrices of the first batch axis: got ${found}`,
    );
  for (const found of [0, 2, 4]) {
    const mask = lists(found, () => range);
    expect(() => run(inputsOf(sizes), { ...sizes, mask })).toThrow(needs(3, found));
  }
  const buffer = heap.alloc(56);
  const one = { buffer, offset: 0, rowStride: 8, columnStride: 1, batchStrides: [] };
  for (const found of [0, 2]) {
    const size = { ...sizes, batch: [], mask: lists(found, () => range) };
    const statistics = { max: buffer, sum: buffer };
    expect(() => attention(heap, hostArrays, kernels, one, statistics, one, one, one, size)).toThrow(
      needs(0, found),
    );
  }
});

it("does nothing for empty sizes, and produces zeros without columns", () => {
  const empty = heap.alloc(0);
  const at = { buffer: empty, offset: 0, rowStride: 8, columnStride: 1, batchStrides: [0] };
  const y = place(
    lists(3, () => lists(5, () => lists(8, () => untouched))),
    dense,
  );
  attention(heap, hostArrays, kernels, y, { max: empty, sum: empty }, at, at, at, { ...sizes, batch: [0] });
  expect(numbersOf(y.buffer).every((number) => number === untouched)).toBe(true);
  const statistics = statisticsOf(15);
  const q = place(inputsOf(sizes).q, dense);
  attention(heap, hostArrays, kernels, y, statistics, q, at, at, { ...sizes, columns: 0, mask: "full" });
  expect(numbersOf(y.buffer).every((number) => number === 0)).toBe(true);
  expect(takeStatistics(statistics)).toEqual([lists(15, () => -Infinity), lists(15, () => 0)]);
});
