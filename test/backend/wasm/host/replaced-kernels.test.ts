/** Replaced kernels are called in place of WebAssembly's, also from inside a replay. */
import { expect, it, vi } from "vitest";
import { loadKernels } from "../../../../src/backend/open.ts";
import { Heap } from "../../../../src/backend/wasm/host/heap.ts";
import { replaceKernelsOnThreads } from "../../../../src/backend/wasm/host/replaced-kernels.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";

const module = await loadKernels();
const noThreads = () => {
  throw new Error("one thread needs no others");
};

it("a replay calls the replaced kernel, and no other from the host", async () => {
  const gemm = vi.fn();
  const replaced = await replaceKernelsOnThreads(
    module,
    new Heap(),
    noThreads,
    { module: "", options: {} },
    (kernels) => {
      gemm.mockImplementation(kernels.gemm);
      return { ...kernels, gemm };
    },
  );
  const { divide, heap, pool, host } = replaced;
  expect(pool).toBeNull();
  const backend = new WasmBackend(module, divide, heap, pool, true, host);
  expect(Object.keys(host)).toEqual(["gemm"]);

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
  const sums = await backend.read(c.buffer);
  expect([...sums]).toEqual(Array(16).fill(4 * 2 * 3));
  await backend.close();
});
