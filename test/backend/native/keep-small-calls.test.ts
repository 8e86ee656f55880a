import { expect, it } from "vitest";
import { keepSmallCalls } from "../../../src/backend/native/keep-small-calls.ts";
import { loadKernels } from "../../../src/backend/open.ts";
import { Heap } from "../../../src/backend/wasm/host/heap.ts";
import { instantiate } from "../../../src/backend/wasm/host/instance.ts";

it("calls with little work are computed in WebAssembly, all others in C", async () => {
  const heap = new Heap();
  const calls: string[] = [];
  const instance = instantiate(await loadKernels(), heap.memory);
  const wasm = {
    ...instance,
    unaryGelu: () => calls.push("wasm"),
    crossEntropyRows: () => calls.push("wasm"),
  };
  const native = { ...instance, unaryGelu: () => calls.push("c"), crossEntropyRows: () => calls.push("c") };
  const kernels = keepSmallCalls(native, wasm, heap);
  kernels.unaryGelu(0, 0, 0, 1023);
  kernels.unaryGelu(0, 0, 1000, 2024);
  // Rows of 65 columns.
  kernels.crossEntropyRows(0, 0, 0, 0, 0, 65, 0, 15);
  kernels.crossEntropyRows(0, 0, 0, 0, 0, 65, 0, 16);
  expect(calls).toEqual(["wasm", "c", "wasm", "c"]);
});
