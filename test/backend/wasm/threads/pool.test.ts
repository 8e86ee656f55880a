import { describe, expect, it } from "vitest";
import type { Buffer } from "../../../../src/backend/backend.ts";
import { startThreads } from "../../../../src/backend/node-thread.ts";
import { loadKernels, openBackend } from "../../../../src/backend/open.ts";
import { Heap } from "../../../../src/backend/wasm/host/heap.ts";
import { instantiate } from "../../../../src/backend/wasm/host/instance.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";
import { ThreadPool } from "../../../../src/backend/wasm/threads/pool.ts";
import { BackendError } from "../../../../src/errors.ts";

describe("a pool of threads", () => {
  it("matches a single thread, for sizes that are divided", async () => {
    const results: number[][] = [];
    for (const threads of [1, 2, 3, 7]) {
      const backend = await openBackend("wasm", threads);
      expect(backend.threads).toBe(threads);
      const [x, y] = [backend.alloc(200_003), backend.alloc(200_003)];
      const values = Float32Array.from({ length: 200_003 }, (_, i) => (i % 1009) / 211 - 2);
      backend.write(x, values);
      // Many jobs in a row, so that threads interact at every stage of waking and leaving.
      for (let i = 0; i < 50; i++) backend.unary("tanh", y, x);
      backend.binary("multiply", { buffer: y, accumulate: true }, x, x);
      results.push(Array.from(await backend.read(y)));
      await backend.close();
    }
    for (const result of results) expect(result).toEqual(results[0]);
  });

  it("matches a single thread on divided products and attention of single rows", async () => {
    const [rows, inner, columns] = [67, 131, 197];
    const [sequences, heads, keys, width] = [5, 6, 211, 8];
    const results: number[][] = [];
    for (const threads of [1, 2, 3]) {
      const backend = await openBackend("wasm", threads);
      const buffer = (length: number, salt: number) => {
        const made = backend.alloc(length);
        backend.write(
          made,
          Float32Array.from({ length }, (_, i) => Math.fround((((i + salt) * 7919) % 211) / 101 - 1)),
        );
        return made;
      };
      const matrix = (made: Buffer, wide: number) => ({
        ...{ buffer: made, offset: 0, rowStride: wide, columnStride: 1, batchStrides: [] },
      });
      const c = buffer(rows * columns, 0);
      const size = { batch: [], rows, inner, columns, accumulate: false, bias: null };
      const [a, b] = [buffer(rows * inner, 1), buffer(inner * columns, 2)];
      backend.gemm(matrix(c, columns), matrix(a, inner), matrix(b, columns), size);

      const channels = heads * width;
      const byHead = (made: Buffer, positions: number) => ({
        ...{ buffer: made, offset: 0, rowStride: channels, columnStride: 1 },
        batchStrides: [positions * channels, width],
      });
      const y = buffer(sequences * channels, 3);
      const [max, sum] = [4, 5].map((salt) => buffer(sequences * heads, salt));
      const [q, k] = [buffer(sequences * channels, 5), buffer(sequences * keys * channels, 6)];
      backend.attention(byHead(y, 1), { max, sum }, byHead(q, 1), byHead(k, keys), byHead(k, keys), {
        ...{ batch: [sequences, heads], rows: 1, columns: keys, width },
        ...{ scale: 0.4, mask: "causal", dropping: null },
      });
      const read = await Promise.all([c, y, max, sum].map((made) => backend.read(made)));
      results.push(read.flatMap((numbers) => Array.from(numbers)));
      await backend.close();
    }
    for (const result of results) expect(result).toEqual(results[0]);
  });

  it("works after its threads have slept", async () => {
    const backend = await openBackend("wasm", 2);
    const [x, y] = [backend.alloc(100_000), backend.alloc(100_000)];
    backend.fill(x, 1);
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      backend.scale({ buffer: y, accumulate: false }, x, i);
      expect(new Set(await backend.read(y))).toEqual(new Set([i]));
    }
    await backend.close();
  });

  it("reports that a thread does not start", async () => {
    const start = WasmBackend.onThreads(await loadKernels(), new Heap(undefined, 3), () => ({
      ready: Promise.reject(new Error("no more threads")),
      stop: () => Promise.resolve(),
    }));
    await expect(start).rejects.toThrow(BackendError);
    await expect(start).rejects.toThrow("a thread did not start");
  });

  it("reports that a kernel failed in a thread", async () => {
    const module = await loadKernels();
    const heap = new Heap(undefined, 2);
    const pool = await ThreadPool.start(2, module, heap, startThreads);
    // The caller delays its first chunk, so that the thread takes the others, at addresses outside of memory.
    const dawdle = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    const kernels = pool.share({ ...instantiate(module, heap.memory), binaryAdd: dawdle });
    const outside = 4_000_000_000;
    expect(() => kernels.binaryAdd(outside, outside, outside, 1, 0, 0, 1_000_000)).toThrow(
      "a kernel failed in a thread",
    );
    await pool.stop();
  });

  it.each([
    ["in the middle of a job", "inside"],
    ["while it sleeps", "asleep"],
  ])("reports immediately that a thread ended %s", async (_, where) => {
    const module = await loadKernels();
    const heap = new Heap(undefined, 3);
    const program = new URL(`./mortal-thread.js?${where}`, import.meta.url);
    const pool = await ThreadPool.start(3, module, heap, (start) => startThreads(start, program));
    const kernels = pool.share(instantiate(module, heap.memory));
    const [x, y] = [heap.alloc(1_000_000), heap.alloc(1_000_000)];
    const run = () => {
      for (let i = 0; i < 20_000; i++) kernels.unaryTanh(y.pointer, x.pointer, 0, x.length);
    };
    const startMs = performance.now();
    expect(run).toThrow("a thread ended");
    expect(performance.now() - startMs).toBeLessThan(5_000);
    // The pool stays broken, because the thread's unfinished work is unknown.
    expect(() => kernels.unaryTanh(y.pointer, x.pointer, 0, x.length)).toThrow("a thread ended");
    await pool.stop();
  });
});
