/** Kernels of rows: what the host checks before a kernel reads or writes a row by its index. */
import { describe, expect, it } from "vitest";
import { loadKernels } from "../../../../src/backend/open.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";
import { BackendError } from "../../../../src/errors.ts";

const backend = new WasmBackend(await loadKernels());
const [rowsOfTable, columns] = [3, 2];
const [table, x] = [backend.alloc(rowsOfTable * columns), backend.alloc(4 * columns)];
const half = columns / 2;

const kernels = {
  rotateRows: (positions: number[]) =>
    backend.rotateRows({ buffer: x, accumulate: false }, x, table, positions, {
      ...{ rows: 2, groups: 1, half, backwards: false },
    }),
  gatherRows: (indices: number[]) => backend.gatherRows(x, table, indices, 2, columns),
  scatterRows: (indices: number[]) => backend.scatterRows(table, x, indices, 2, columns),
  scatterAddRows: (indices: number[]) => backend.scatterAddRows(table, x, indices, 2, columns),
};

describe.each(["rotateRows", "gatherRows", "scatterRows", "scatterAddRows"] as const)("%s", (name) => {
  const kernel = kernels[name];

  it.each([3, Number.NaN, 1e9, Infinity].concat(name === "scatterRows" ? [] : [-1]))(
    "rejects the index %d",
    (index) => {
      const message = `wasm: ${name}: index ${index} at 1 is outside the 3 rows of the table`;
      expect(() => kernel([2, index])).toThrow(new BackendError(message));
    },
  );

  it("needs an index for each row", () => {
    const message = `wasm: ${name}: needs an index for each of 2 rows: got 1`;
    expect(() => kernel([2])).toThrow(new BackendError(message));
  });
});

describe.each(["crossEntropyRows", "crossEntropyRowsBackward"] as const)("%s", (name) => {
  const [a, max, sum, c] = [1, 2, 3, 4].map(() => backend.alloc(4 * columns));
  const kernel = (targets: number[]) =>
    name === "crossEntropyRows"
      ? backend.crossEntropyRows(a, { max, sum }, x, targets, 2, columns)
      : backend.crossEntropyRowsBackward(
          { buffer: c, accumulate: false },
          a,
          x,
          { max, sum },
          targets,
          2,
          columns,
        );

  it.each([2, Number.NaN, Infinity])("rejects the target %d", (target) => {
    const message = `wasm: crossEntropyRows: target ${target} of row 1 is outside the 2 columns`;
    expect(() => kernel([-1, target])).toThrow(new BackendError(message));
  });

  it("needs a target for each row", () => {
    expect(() => kernel([0])).toThrow(new BackendError("wasm: crossEntropyRows: needs 2 targets: got 1"));
  });
});
