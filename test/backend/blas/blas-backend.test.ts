/**
 * The backend with a real BLAS library: whether and on which threads it is used, and which guarantees hold without
 * exact bits.
 */
import { afterEach, describe, expect, it } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import type { Backend, Buffer } from "../../../src/backend/backend.ts";
import { BlasBackend } from "../../../src/backend/blas/blas-backend.ts";
import { openLibrary } from "../../../src/backend/blas/library.js";
import { startThreads } from "../../../src/backend/node-thread.ts";
import { loadKernels, openBackend } from "../../../src/backend/open.ts";
import { productWords } from "../../../src/backend/wasm/host/gemm.ts";
import { Heap } from "../../../src/backend/wasm/host/heap.ts";
import { instantiate } from "../../../src/backend/wasm/host/instance.ts";
import { WasmBackend } from "../../../src/backend/wasm/host/wasm-backend.ts";
import { ThreadPool } from "../../../src/backend/wasm/threads/pool.ts";
import { resolveSettings } from "../../../src/config/settings.ts";
import { GPT } from "../../../src/nn/gpt.ts";
import { Random } from "../../../src/random.ts";
import { gptConfigOf } from "../../../src/run/config.ts";
import { NextToken } from "../../../src/train/objectives/next-token.ts";
import { Trainer } from "../../../src/train/trainer.ts";
import { blasOptions, ifBlas, noBlas } from "../../support/blas.ts";

const [rows, inner, columns] = [67, 131, 53];

function noise(backend: Backend, length: number, seed: number): Buffer {
  const random = Random.of(seed);
  const buffer = backend.alloc(length);
  backend.write(
    buffer,
    Float32Array.from({ length }, () => random.normal()),
  );
  return buffer;
}

function multiply(backend: Backend, c: Buffer, a: Buffer, b: Buffer): void {
  const byRow = (buffer: Buffer, width: number) => ({
    ...{ buffer, offset: 0, rowStride: width, columnStride: 1, batchStrides: [] },
  });
  const size = { batch: [], rows, columns, inner, accumulate: false, bias: null };
  backend.gemm(byRow(c, columns), byRow(a, inner), byRow(b, columns), size);
}

/** The same product on any backend. */
async function product(backend: Backend): Promise<Float32Array | Float64Array> {
  const [a, b] = [noise(backend, rows * inner, 1), noise(backend, inner * columns, 2)];
  const c = backend.alloc(rows * columns);
  multiply(backend, c, a, b);
  return backend.read(c);
}

describe.skipIf(noBlas !== null)(`a backend with BLAS${ifBlas}`, () => {
  const open: Backend[] = [];
  const opened = async <T extends Backend>(backend: Promise<T>): Promise<T> => {
    open.push(await backend);
    return backend;
  };
  afterEach(() => Promise.all(open.splice(0).map((backend) => backend.close())));

  it("reports its name, library and threads", async () => {
    const backend = await opened(openBackend("blas", 2));
    expect(backend).toMatchObject({ name: "blas", exact: false, threads: 2 });
    expect(backend.library).toMatch(/\S/);
    const wasm = await opened(openBackend("wasm"));
    expect(wasm).toMatchObject({ name: "wasm", exact: true, library: null });
  });

  it("uses the library, except for small products", async () => {
    const wasm = await product(await opened(openBackend("wasm")));
    const blas = await product(await opened(openBackend("blas")));
    const never = BlasBackend.open(await loadKernels(), { ...blasOptions(1), minWork: 1e9 });
    expect(await product(await opened(never))).toEqual(wasm);
    // Sums of 131 products in a different order, or fused: some of the 3,551 results differ in the last bits.
    expect(blas).not.toEqual(wasm);
    blas.forEach((value, i) => {
      expect(Math.abs(value - wasm[i])).toBeLessThan(1e-4);
    });
  });

  it("its threads use the library too", async () => {
    const module = await loadKernels();
    const library = await openLibrary(blasOptions(1).libraries);
    if (library === null) throw new Error("no BLAS library");
    const heap = new Heap(undefined, 2);
    const replacement = {
      module: new URL("../../../src/backend/blas/thread-kernels.js", import.meta.url).href,
      options: { file: library.file, at: productWords, minWork: 0 },
    };
    const pool = await ThreadPool.start(2, module, heap, startThreads, replacement);
    // The caller computes nothing and waits until the other thread has started, so all results come from that thread.
    const clock = new Int32Array(new SharedArrayBuffer(4));
    let begun = () => false;
    const dawdle = () => {
      for (let turn = 0; turn < 4000 && !begun(); turn++) Atomics.wait(clock, 0, 0, 5);
    };
    const lame = { ...instantiate(module, heap.memory), gemm: dawdle };
    const backend = await opened(
      Promise.resolve(new WasmBackend(module, () => pool.share(lame), heap, pool)),
    );
    const [a, b] = [noise(backend, rows * inner, 1), noise(backend, inner * columns, 2)];
    const c = heap.alloc(rows * columns);
    backend.fill(c, Number.NaN);
    const numbers = heap.floats.subarray(c.pointer / 4, c.pointer / 4 + c.length);
    begun = () => numbers.some((number) => !Number.isNaN(number));
    multiply(backend, c, a, b);
    const [found, whole] = [await backend.read(c), await product(await opened(openBackend("blas")))];
    const wasm = await product(await opened(openBackend("wasm")));
    const there = Array.from(found.keys()).filter((i) => !Number.isNaN(found[i]));
    expect(there.length).toBeGreaterThan(rows);
    for (const i of there) expect(Math.abs(found[i] - whole[i])).toBeLessThan(1e-4);
    expect(there.some((i) => found[i] !== wasm[i])).toBe(true);
  });

  it("keeps the library on the calling thread", async () => {
    const { default: koffi } = await import("koffi");
    const library = await openLibrary(blasOptions(1).libraries);
    const file = library?.file ?? "";
    let count: () => unknown;
    try {
      count = koffi.load(file).func("openblas_get_num_threads", "int", []);
      koffi.load(file).func("openblas_set_num_threads", "void", ["int"])(2);
    } catch {
      return; // Another vendor's library.
    }
    for (const threads of [1, 3]) {
      await opened(openBackend("blas", threads));
      expect(count()).toBe(1);
    }
  });

  it("uses correct addresses after memory has grown, and beyond 2 GiB", async () => {
    const backend = await opened(openBackend("blas", 3));
    const before = await product(backend);
    // Nothing is written there, so the system need not provide the memory.
    const gap = backend.alloc(2 ** 29 + 1009);
    expect(await product(backend)).toEqual(before);
    backend.free(gap);
  });

  it.each([1, 3])("two training runs with the same seed are equal on %i threads", async (threads) => {
    const settings = resolveSettings({ layers: 1, heads: 2, dModel: 32, contextLength: 16 }, { steps: 20 });
    const losses = async () => {
      const context = new Context(await opened(openBackend("blas", threads)));
      const corpus = Int32Array.from({ length: 500 }, (_, i) => (i * i) % 11);
      const model = new GPT(context, gptConfigOf(settings, 11), Random.of(3));
      const trainer = new Trainer(model, new NextToken(model, corpus, settings), settings);
      const all: number[] = [];
      for (let step = 0; step < 20; step++) all.push((await trainer.step()).lossNats);
      return all;
    };
    const first = await losses();
    expect(await losses()).toEqual(first);
    expect(first[19]).toBeLessThan(first[0]);
  });
});
