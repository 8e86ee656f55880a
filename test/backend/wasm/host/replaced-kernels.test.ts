/** Replaced kernels are called in place of WebAssembly's, also from inside a replay. */
import { expect, it, vi } from "vitest";
import { loadKernels } from "../../../../src/backend/open.ts";
import { Heap } from "../../../../src/backend/wasm/host/heap.ts";
import { replaceKernelsOnThreads } from "../../../../src/backend/wasm/host/replaced-kernels.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";
import { ownKernels } from "../../../../src/backend/wasm/threads/loop.js";

const module = await loadKernels();
const noThreads = () => {
  throw new Error("one thread needs no others");
};

it.each([
  ["the calling thread", 0],
  ["the calling thread, beyond 2 GiB", 2 ** 29],
  ["a thread of the pool", 0],
  ["a thread of the pool, beyond 2 GiB", 2 ** 29],
])("a replay calls the replaced kernel, and no other from the host: %s", async (thread, before) => {
  const gemm = vi.fn();
  const own = new Heap();
  const replaced = await replaceKernelsOnThreads(
    module,
    own,
    noThreads,
    { module: "", options: {} },
    (kernels) => {
      gemm.mockImplementation(kernels.gemm);
      if (thread.startsWith("the calling")) return { ...kernels, gemm };
      const { memory } = own;
      const functions = ownKernels({ module, memory });
      functions.set("gemm", gemm);
      return { ...kernels, gemm, replay: functions.get("replay") };
    },
  );
  const { divide, heap, pool, host } = replaced;
  expect(pool).toBeNull();
  const backend = new WasmBackend(module, divide, heap, pool, true, host);
  expect(Object.keys(host)).toEqual(["gemm"]);
  // Nothing is written to it, so it takes addresses and no memory.
  backend.alloc(before);

  const [a, b, c] = [2, 3, 0].map((value) => {
    const buffer = backend.alloc(16);
    backend.fill(buffer, value);
    return { buffer, offset: 0, rowStride: 4, columnStride: 1, batchStrides: [] };
  });
  const size = { batch: [], rows: 4, columns: 4, inner: 4, accumulate: false, bias: null };
  const calls = backend.capture(() => backend.gemm(c, a, b, size));
  expect(gemm).toHaveBeenCalledTimes(1);
  backend.fill(c.buffer, 0);
  calls?.replay();
  expect(gemm).toHaveBeenCalledTimes(2);
  const [parameters, , , scratch] = gemm.mock.calls[1];
  expect(Math.min(parameters, scratch)).toBeGreaterThan(4 * before);
  const sums = await backend.read(c.buffer);
  expect([...sums]).toEqual(Array(16).fill(4 * 2 * 3));
  await backend.close();
});
