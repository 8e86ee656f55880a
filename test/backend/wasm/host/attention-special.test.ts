/** Fused attention in WebAssembly: numbers that are not finite affect only the rows that see them. */
import { describe, expect, it } from "vitest";
import { inputsOf, lists, type Numbers, poisoned, run, sizes } from "./attention-trial.ts";

describe("special numbers", () => {
  it("a visible NaN propagates", () => {
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

  it("a NaN among scores of −∞ propagates", () => {
    const size = { ...sizes, batch: [1], rows: 1, columns: 2, width: 4 };
    const { y, max, sum } = run(
      {
        q: [[[1, 1, 1, 1]]],
        k: [[lists(4, () => -Infinity), lists(4, () => Number.NaN)]],
        v: [lists(2, () => [1, 2, 3, 4])],
        dy: [[[1, 1, 1, 1]]],
      },
      size,
    );
    expect(y).toEqual([[lists(4, () => Number.NaN)]]);
    expect([max, sum]).toEqual([[-Infinity], [Number.NaN]]);
  });

  it.each([0, 2, 4])("row %i, which sees only −∞, yields zeros and no gradients", (blind) => {
    const size = { ...sizes, rows: 5, mask: "full" } as const;
    const inputs = inputsOf(size);
    // Products of 1e30 and −1e30 overflow to −∞ in single precision; products with 0 are 0.
    const withFirst = (numbers: Numbers, first: (i: number) => number): Numbers =>
      numbers.map((matrix) => matrix.map((row, i) => [first(i), ...row.slice(1)]));
    const q = withFirst(inputs.q, (row) => (row === blind ? 1e30 : 0));
    const k = withFirst(inputs.k, () => -1e30);
    const results = run({ ...inputs, q, k }, size);
    for (const matrix of [...results.y, ...results.dq]) expect(matrix[blind]).toEqual(lists(8, () => 0));
    const isBlind = lists(15, (row) => row % 5 === blind);
    expect(results.max.map((max) => max === -Infinity)).toEqual(isBlind);
    expect(results.sum.map((sum) => sum === 0)).toEqual(isBlind);
    // The other rows produce the same results as without it.
    const others = (numbers: Numbers) => numbers.map((matrix) => matrix.filter((_, row) => row !== blind));
    const rest = run({ q: others(q), k, v: inputs.v, dy: others(inputs.dy) }, { ...size, rows: 4 });
    expect(others(results.y)).toEqual(rest.y);
    expect(results.dk).toEqual(rest.dk);
    expect(results.dv).toEqual(rest.dv);
  });
});
