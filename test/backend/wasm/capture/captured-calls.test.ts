/** Captured kernel calls: a replay has the same bits as calls made one by one, on any number of threads. */
import { describe, expect, it } from "vitest";
import type { Backend, Buffer, CapturedCalls, KeyRange } from "../../../../src/backend/backend.ts";
import { loadKernels, openBackend } from "../../../../src/backend/open.ts";
import { Recorder } from "../../../../src/backend/wasm/capture/captured-calls.ts";
import { Heap } from "../../../../src/backend/wasm/host/heap.ts";
import { HostArrays } from "../../../../src/backend/wasm/host/host-arrays.ts";
import type { HostKernels } from "../../../../src/backend/wasm/host/instance.ts";
import {
  argumentsOf,
  type KernelExports,
  kernelNames,
} from "../../../../src/backend/wasm/host/signatures.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";
import { Random } from "../../../../src/random.ts";
import { sameBits } from "../../conformance/trial.ts";
import { cases, check } from "../../conformance.ts";

const module = await loadKernels();

/** Captures and replays each call separately, if it can be captured, and counts the calls by kernel. */
function throughCapture(heap: Heap, counted: Map<string, number>) {
  return (kernels: KernelExports): KernelExports => {
    const nothing = Object.fromEntries(kernelNames.map((name) => [name, () => {}]));
    // The captured call itself does nothing, so every result comes from the replay.
    const recorder = new Recorder(heap, new HostArrays(heap), {
      ...{ ...kernels, ...nothing, replay: kernels.replay },
    });
    const through = { ...kernels };
    for (const name of kernelNames) {
      if (argumentsOf(name).indexOf("begin") < 0) continue;
      const capturing: (...args: number[]) => void = recorder.capturing[name];
      const alone: (...args: number[]) => void = kernels[name];
      Object.assign(through, {
        [name]: (...args: number[]) => {
          const calls = recorder.capture(() => capturing(...args));
          if (calls === null) return alone(...args);
          counted.set(name, (counted.get(name) ?? 0) + 1);
          calls.replay();
          calls.free();
        },
      });
    }
    return through;
  };
}

describe("a capture of one call conforms", () => {
  const counted = new Map<string, number>();
  const heap = new Heap();
  const backend = new WasmBackend(module, throughCapture(heap, counted), heap);

  it.each(cases)("$name", (one) => check(one, backend));

  it("for every kernel of a forward pass without a tape", () => {
    // Kernels of backward, training and dropout cannot be captured.
    const left = kernelNames.filter((name) => !counted.has(name) && argumentsOf(name).includes("begin"));
    const needed = (name: string) =>
      !/Backward|WithDerivative|^scatterAdd|^adamw|Normals$|^sums?OfSquares|^crossEntropy|^dropout|^replay/.test(
        name,
      );
    expect(left.filter(needed)).toEqual([]);
  });
});

/** A small computation with several kernels, y = tanh(x·W + y), partly large enough to be divided among threads. */
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
    // The second product reuses the memory of the first, so the order of calls matters.
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

/**
 * The kernels of a model with a cache: rows of x are written to the cache, rotated, and attend to the cache. Large
 * enough to be divided among threads.
 */
async function openCached(threads: number) {
  const backend = await openBackend("wasm", threads);
  const [sequences, heads, rows, columns, width] = [8, 4, 32, 64, 32];
  const channels = heads * width;
  const buffer = (length: number, salt: number) => {
    const made = backend.alloc(length);
    write(backend, made, salt);
    return made;
  };
  const [x, q, y] = [1, 2, 3].map((salt) => buffer(sequences * rows * channels, salt));
  const [cache, table] = [buffer(sequences * columns * channels, 4), buffer(columns * width, 5)];
  const [max, sum] = [6, 7].map((salt) => buffer(sequences * heads * rows, salt));
  const positions = new Float32Array(sequences * rows);
  const indices = new Float32Array(sequences * rows);
  const mask: KeyRange[] = [];
  /** Draws new positions, indices and key ranges, in place. */
  const draw = (seed: number) => {
    const random = Random.of(seed, "captured");
    const free = Array.from({ length: sequences * columns }, (_, row) => row);
    for (let i = 0; i < indices.length; i++) {
      positions[i] = random.below(columns);
      const [row] = free.splice(random.below(free.length), 1);
      indices[i] = random.below(4) === 0 ? -1 : row;
    }
    for (let b = 0; b < sequences; b++) {
      const start = random.below(columns);
      mask[b] = { start, end: start + random.below(columns - start + 1), diagonal: random.below(columns) };
    }
  };
  const byHead = (made: Buffer, length: number) => ({
    ...{ buffer: made, offset: 0, rowStride: channels, columnStride: 1 },
    batchStrides: [length * channels, width],
  });
  const body = () => {
    backend.scatterRows(cache, x, indices, sequences * rows, channels);
    backend.rotateRows({ buffer: q, accumulate: false }, x, table, positions, {
      ...{ rows: sequences * rows, groups: heads, half: width / 2, backwards: false },
    });
    const [keys, values] = [byHead(cache, columns), byHead(cache, columns)];
    backend.attention(byHead(y, rows), { max, sum }, byHead(q, rows), keys, values, {
      ...{ batch: [sequences, heads], rows, columns, width, scale: 0.4, mask, dropping: null },
    });
  };
  const read = async (): Promise<Record<string, ArrayLike<number>>> => ({
    ...{ cache: await backend.read(cache), q: await backend.read(q) },
    ...{ y: await backend.read(y), max: await backend.read(max), sum: await backend.read(sum) },
  });
  return { backend, x, draw, body, read };
}

function captured(calls: CapturedCalls | null): CapturedCalls {
  if (calls === null) throw new Error("nothing was captured");
  return calls;
}

describe("captured calls", () => {
  it("repeat the calls with the current contents of the buffers", async () => {
    const [one, other] = [await open(1), await open(1)];
    const calls = captured(one.backend.capture(one.body));
    other.body();
    for (let salt = 4; salt < 40; salt++) {
      for (const { backend, x } of [one, other]) write(backend, x, salt);
      calls.replay();
      other.body();
      sameBits("y", await one.backend.read(one.y), await other.backend.read(other.y));
    }
  });

  it.each([1, 3])(
    "read positions, indices and key ranges again at each replay, on %i threads",
    async (threads) => {
      const [one, other] = [await openCached(threads), await openCached(1)];
      for (const { draw } of [one, other]) draw(0);
      const calls = captured(one.backend.capture(one.body));
      other.body();
      const totals = new Set<number>();
      for (let seed = 1; seed < 12; seed++) {
        for (const { backend, x, draw } of [one, other]) {
          write(backend, x, seed);
          draw(seed);
        }
        calls.replay();
        other.body();
        const [replayed, fresh] = [await one.read(), await other.read()];
        for (const [name, numbers] of Object.entries(replayed)) sameBits(name, numbers, fresh[name]);
        totals.add(Array.from(replayed.y).reduce((sum, number) => sum + number, 0));
      }
      expect(totals.size).toBe(11);
      expect([...totals].every(Number.isFinite)).toBe(true);
      calls.free();
      await one.backend.close();
    },
  );

  it.each([2, 3, 5])("have the same bits on %i threads, even if one starts late", async (threads) => {
    const [one, many] = [await open(1), await open(threads)];
    const both = [one, many].map(({ backend, body }) => captured(backend.capture(body)));
    for (let salt = 4; salt < 300; salt++) {
      for (const { backend, x } of [one, many]) write(backend, x, salt);
      for (const calls of both) calls.replay();
      sameBits("y", await many.backend.read(many.y), await one.backend.read(one.y));
      // Some replays find the threads asleep.
      if (salt % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await many.backend.close();
  });

  it("share no memory with buffers allocated after them, until they are freed", async () => {
    const { backend, y, body } = await open(1);
    const before = backend.alloc(1031);
    backend.free(before);
    const calls = captured(backend.capture(body));
    // The same length as the buffers that the body freed.
    const others = Array.from({ length: 9 }, () => backend.alloc(1031));
    for (const other of others) backend.fill(other, 7);
    calls.replay();
    for (const other of others) expect(new Set(await backend.read(other))).toEqual(new Set([7]));
    const bits = await backend.read(y);
    calls.free();
    expect(bits.every(Number.isFinite)).toBe(true);
  });

  it("take replaced kernels from the host", async () => {
    const host: HostKernels = {};
    let calls = 0;
    const divide = (kernels: KernelExports): KernelExports => {
      host.gemm = (...args) => {
        calls++;
        kernels.gemm(...args);
      };
      return { ...kernels, gemm: host.gemm };
    };
    const backend = new WasmBackend(module, divide, undefined, null, true, host);
    const [c, a, b] = [1, 4, 4].map((length) => backend.alloc(length));
    backend.fill(a, 2);
    backend.fill(b, 3);
    const matrix = (buffer: Buffer, rowStride: number) => ({
      ...{ buffer, offset: 0, rowStride, columnStride: 1, batchStrides: [] },
    });
    const size = { batch: [], rows: 1, columns: 1, inner: 4, accumulate: true, bias: null };
    backend.fill(c, 0);
    const captured = backend.capture(() => {
      backend.gemm(matrix(c, 1), matrix(a, 4), matrix(b, 1), size);
      backend.binary("multiply", { buffer: c, accumulate: false }, c, c);
    });
    expect([calls, ...(await backend.read(c))]).toEqual([1, 24 ** 2]);
    captured?.replay();
    expect([calls, ...(await backend.read(c))]).toEqual([2, (24 ** 2 + 24) ** 2]);
  });

  it("leak no memory over many captures", async () => {
    const heap = new Heap();
    const backend = new WasmBackend(module, undefined, heap);
    const [x, y] = [backend.alloc(100_003), backend.alloc(100_003)];
    backend.fill(x, 1);
    const indices = new Float32Array(100_003);
    const body = () => {
      const between = backend.alloc(100_003);
      backend.gatherRows(y, x, indices, 100_003, 1);
      backend.unary("tanh", between, x);
      backend.unary("exp", y, between);
      backend.free(between);
    };
    for (let i = 0; i < 100; i++) captured(backend.capture(body)).free();
    for (let i = 0; i < 100; i++) {
      const readsToo = () => {
        body();
        backend.read(y);
      };
      expect(backend.capture(readsToo)).toBeNull();
    }
    expect(heap.bytes).toBeLessThan(16 * 2 ** 20);
  });

  it("are null if the host accessed memory or a kernel cannot be captured; the body still runs", async () => {
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
    expect(captured(backend.capture(body))).not.toBeNull();
  });

  it("end if the body throws: later calls are not captured", async () => {
    const { backend, y, body } = await open(1);
    const fail = () => {
      body();
      throw new Error("half way");
    };
    expect(() => backend.capture(fail)).toThrow("half way");
    const next = captured(backend.capture(() => {}));
    const before = await backend.read(y);
    next.replay();
    expect(await backend.read(y)).toEqual(before);
  });
});
