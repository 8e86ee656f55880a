import { expect, it } from "vitest";
import { makeGemm } from "../../../src/backend/native/gemm.js";
import { productWords as at } from "../../../src/backend/wasm/host/gemm.ts";

/** Who computes one part of a product: "c" or "wasm". */
function computedIn(
  rows: number,
  columns: number,
  inner: number,
  { wide = true, always = false, bColumn = 4 } = {},
): string {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const words = new Int32Array(memory.buffer, 128);
  const given = { rows, columns, inner, partRows: rows, partColumns: columns, bColumn, cColumn: 4 };
  Object.entries(given).forEach(([name, value]) => {
    if (name in at) words[Object.entries(at).find(([field]) => field === name)?.[1] ?? -1] = value;
  });
  const calls: string[] = [];
  const native = (...args: number[]) => {
    expect(args).toEqual([4096, 128, 0, 1, 512]);
    calls.push("c");
  };
  makeGemm(native, 4096, memory, () => calls.push("wasm"), at, wide, always)(128, 0, 1, 512);
  expect(calls).toHaveLength(1);
  return calls[0];
}

it("products of many rows are computed in C, those of few rows or little work in WebAssembly", () => {
  expect(computedIn(64, 64, 64)).toBe("c");
  expect(computedIn(8, 64, 64)).toBe("c");
  expect(computedIn(7, 1024, 1024, { wide: false })).toBe("wasm");
  expect(computedIn(16, 16, 16)).toBe("wasm");
});

it("products of few rows are computed in C if vectors are wide and the columns of B contiguous", () => {
  expect(computedIn(1, 128, 128)).toBe("c");
  expect(computedIn(1, 128, 128, { wide: false })).toBe("wasm");
  expect(computedIn(1, 128, 128, { bColumn: 512 })).toBe("wasm");
  expect(computedIn(2, 64, 64)).toBe("c");
  expect(computedIn(7, 128, 128)).toBe("c");
  expect(computedIn(7, 128, 128, { wide: false })).toBe("wasm");
  expect(computedIn(7, 128, 128, { bColumn: 512 })).toBe("wasm");
  expect(computedIn(1, 64, 64)).toBe("wasm");
});

it("for tests, every product with terms is computed in C", () => {
  expect(computedIn(1, 1, 1, { always: true })).toBe("c");
  expect(computedIn(5, 5, 0, { always: true })).toBe("wasm");
});
