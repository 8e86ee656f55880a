import { expect, it } from "vitest";
import { makeAttention } from "../../../src/backend/native/attention.js";

/** Who computes an attention of some matrices: "c" or "wasm". */
function computedIn(rows: number, columns: number, width: number, matrices: number, always = false): string {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  new Int32Array(memory.buffer, 128).set([rows, columns, 4 * width]);
  const calls: string[] = [];
  const native = (...args: number[]) => {
    expect(args).toEqual([4096, 128, 2, 2 + matrices, 512]);
    calls.push("c");
  };
  makeAttention(native, 4096, memory, () => calls.push("wasm"), always)(128, 2, 2 + matrices, 512);
  expect(calls).toHaveLength(1);
  return calls[0];
}

it("attention of many rows or of one is computed in C, that of few rows or of little work in WebAssembly", () => {
  expect(computedIn(64, 64, 32, 1)).toBe("c");
  expect(computedIn(4, 256, 32, 1)).toBe("c");
  expect(computedIn(1, 1024, 64, 12)).toBe("c");
  expect(computedIn(1, 64, 16, 4)).toBe("wasm");
  expect(computedIn(3, 1024, 64, 12)).toBe("wasm");
  expect(computedIn(8, 8, 8, 1)).toBe("wasm");
  expect(computedIn(8, 8, 8, 16)).toBe("c");
});

it("for tests, all attention is computed in C", () => {
  expect(computedIn(1, 1, 4, 1, true)).toBe("c");
});
