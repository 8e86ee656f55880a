/** Captured and replayed kernel calls: same bits as direct calls, on any number of threads. */
import { describe, expect, it } from "vitest";
import type { Backend, Buffer, CapturedCalls } from "../../../../src/backend/backend.ts";
import { loadKernels, openBackend } from "../../../../src/backend/open.ts";
import { Recorder } from "../../../../src/backend/wasm/capture/recording.ts";
import { Heap } from "../../../../src/backend/wasm/host/heap.ts";
import {
  argumentsOf,
  type KernelExports,
  kernelNames,
} from "../../../../src/backend/wasm/host/signatures.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";
import { cases, check } from "../../conformance.ts";

const module = await loadKernels();

/** Executes each call that can be captured by replaying a list with that one call, and counts them. */
function throughLists(heap: Heap, counted: Map<string, number>) {
  return (kernels: KernelExports): KernelExports => {
    const nothing = Object.fromEntries(kernelNames.map((name) => [name, () => {}]));
    // The captured kernels do nothing, so all results come from the replay.
    const recorder = new Recorder(heap, { ...kernels, ...nothing, replay: kernels.replay });
    const through = { ...kernels };
    for (const name of kernelNames) {
      if (argumentsOf(name).indexOf("begin") < 0) continue;
      const noting: (...args: number[]) => void = recorder.noting[name];
      const alone: (...args: number[]) => void = kernels[name];
      Object.assign(through, {
        [name]: (...args: number[]) => {
          const recording = recorder.record(() => noting(...args));
          if (recording === null) return alone(...args);
          counted.set(name, (counted.get(name) ?? 0) + 1);
          recording.replay();
          recording.free();
        },
      });
    }
    return through;
  };
}

describe("captures of a single call", () => {
  const counted = new Map<string, number>();
  const heap = new Heap();
  const backend = new WasmBackend(module, throughLists(heap, counted), heap);

  it.each(cases)("$name", (one) => check(one, backend));

  it("support every kernel of inference", () => {
    // Except the kernels that only backward, training and dropout use.
    const left = kernelNames.filter((name) => !counted.has(name) && argumentsOf(name).includes("begin"));
    const needed = (name: string) =>
      !/Backward|WithDerivative|^scatterAdd|^adamw|^sums?OfSquares|^crossEntropy|^dropout|^replay/.test(name);
    expect(left.filter(needed)).toEqual([]);
  });
});

/** A small computation over several kernels: y = tanh(x·W + y), partly large enough to be divided among threads. */
async function open(threads: number) {
  const backend = await openBackend("wasm", threads);
  const [inner, columns] = [257, 1031];
  const buffer = (length: number, salt: number) => {
    const made = backend.alloc(length);
    write(backend, made, salt);
    return made;
  };
  const [x, w, y] = [buffer(inner, 1), buffer(inner * columns, 2), buffer(columns, 3)];
  const matrix = (made: Buffer, wide: number) => ({
    ...{ buffer: made, offset: 0, rowStride: wide, columnStride: 1, batchStrides: [] },
  });
  const body = () => {
    const product = backend.alloc(columns);
    const size = { batch: [], rows: 1, columns, inner, accumulate: false, bias: null };
    backend.gemm(matrix(product, columns), matrix(x, inner), matrix(w, columns), size);
    backend.binary("add", { buffer: y, accumulate: false }, y, product);
    backend.free(product);
    // The second product overwrites the first, so order matters.
    const again = backend.alloc(columns);
    backend.gemm(matrix(again, columns), matrix(x, inner), matrix(w, columns), { ...size, bias: y });
    backend.unary("tanh", y, again);
    backend.free(again);
  };
  return { backend, x, y, body };
}

function write(backend: Backend, buffer: Buffer, salt: number): void {
  const value = (i: number) => Math.fround(((((i + 31 * salt) * 7919) % 211) / 101 - 1) / 8);
  backend.write(
    buffer,
    Float32Array.from({ length: buffer.length }, (_, i) => value(i)),
  );
}

function recorded(recording: CapturedCalls | null): CapturedCalls {
  if (recording === null) throw new Error("nothing was captured");
  return recording;
}

describe("a capture", () => {
  it("replays the calls on the current contents of the buffers", async () => {
    const [one, other] = [await open(1), await open(1)];
    const recording = recorded(one.backend.capture(one.body));
    other.body();
    for (let salt = 4; salt < 40; salt++) {
      for (const { backend, x } of [one, other]) write(backend, x, salt);
      recording.replay();
      other.body();
      expect(await one.backend.read(one.y)).toEqual(await other.backend.read(other.y));
    }
  });

  it.each([2, 3, 5])("has the same bits on %i threads, even if threads are late", async (threads) => {
    const [one, many] = [await open(1), await open(threads)];
    const recordings = [one, many].map(({ backend, body }) => recorded(backend.capture(body)));
    for (let salt = 4; salt < 300; salt++) {
      for (const { backend, x } of [one, many]) write(backend, x, salt);
      for (const recording of recordings) recording.replay();
      expect(await many.backend.read(many.y)).toEqual(await one.backend.read(one.y));
      // Occasionally the threads have gone to sleep.
      if (salt % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await many.backend.close();
  });

  it("shares no memory with later allocations until it is freed", async () => {
    const { backend, y, body } = await open(1);
    const before = backend.alloc(1031);
    backend.free(before);
    const recording = recorded(backend.capture(body));
    // As large as the buffers that the body freed.
    const others = Array.from({ length: 9 }, () => backend.alloc(1031));
    for (const other of others) backend.fill(other, 7);
    recording.replay();
    for (const other of others) expect(new Set(await backend.read(other))).toEqual(new Set([7]));
    const bits = await backend.read(y);
    recording.free();
    expect(bits.every(Number.isFinite)).toBe(true);
  });

  it("leaves no memory allocated, even after many captures", async () => {
    const heap = new Heap();
    const backend = new WasmBackend(module, undefined, heap);
    const [x, y] = [backend.alloc(100_003), backend.alloc(100_003)];
    backend.fill(x, 1);
    const body = () => {
      const between = backend.alloc(100_003);
      backend.unary("tanh", between, x);
      backend.unary("exp", y, between);
      backend.free(between);
    };
    for (let i = 0; i < 100; i++) recorded(backend.capture(body)).free();
    expect(heap.bytes).toBeLessThan(16 * 2 ** 20);
  });

  it("is null after a host access or an unsupported kernel, but the body has run", async () => {
    const { backend, y, body } = await open(1);
    const also: (() => unknown)[] = [
      () => backend.fill(y, 3),
      () => backend.write(y, [3], 5),
      () => backend.read(y),
      () => backend.dropout({ buffer: y, accumulate: false }, y, { probability: 0.5, key: [1, 2] }),
    ];
    for (const action of also) {
      backend.fill(y, 0);
      const run = () => {
        action();
        body();
      };
      expect(backend.capture(run)).toBeNull();
      expect((await backend.read(y)).some((value) => value !== 0)).toBe(true);
    }
    expect(recorded(backend.capture(body))).not.toBeNull();
  });

  it("is discarded if its body throws, and capturing stops", async () => {
    const { backend, y, body } = await open(1);
    const fail = () => {
      body();
      throw new Error("half way");
    };
    expect(() => backend.capture(fail)).toThrow("half way");
    const next = recorded(backend.capture(() => {}));
    const before = await backend.read(y);
    next.replay();
    expect(await backend.read(y)).toEqual(before);
  });
});
