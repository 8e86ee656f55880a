/** Memory of the wasm backend: buffers never overlap, and free memory is reused. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { loadKernels } from "../../../../src/backend/open.ts";
import { Heap, type WasmBuffer } from "../../../../src/backend/wasm/host/heap.ts";
import { instantiate } from "../../../../src/backend/wasm/host/instance.ts";
import { BackendError } from "../../../../src/errors.ts";

const mebibyte = 2 ** 20;

function numbersOf(heap: Heap, buffer: WasmBuffer): Float32Array {
  return heap.floats.subarray(buffer.pointer / 4, buffer.pointer / 4 + buffer.length);
}

it("live buffers keep their contents through any allocations and frees", () => {
  // Each action frees the buffer of that rank or, if there is none, allocates one of that length.
  const actions = fc.array(fc.record({ rank: fc.nat(13), length: fc.nat(700_001) }), { maxLength: 60 });
  fc.assert(
    fc.property(actions, (steps) => {
      const heap = new Heap(64 * mebibyte);
      const live: { buffer: WasmBuffer; mark: number }[] = [];
      for (const [mark, { rank, length }] of steps.entries()) {
        const [freed] = live.splice(rank, 1);
        if (freed !== undefined) {
          heap.free(freed.buffer);
          continue;
        }
        const buffer = heap.alloc(length);
        expect(buffer.length).toBe(length);
        expect(buffer.pointer % 64).toBe(0);
        numbersOf(heap, buffer).fill(mark);
        live.push({ buffer, mark });
        for (const { buffer, mark } of live) {
          const numbers = numbersOf(heap, buffer);
          expect([numbers.length, numbers.at(0), numbers.at(-1)]).toEqual(
            buffer.length === 0 ? [0, undefined, undefined] : [buffer.length, mark, mark],
          );
        }
      }
    }),
    { numRuns: 60 },
  );
});

it("never allocates the memory of the kernels' constants", async () => {
  const heap = new Heap();
  // The very first buffer.
  const first = heap.parameters.pointer;
  const exports = instantiate(await loadKernels(), heap.memory);
  const constantsEnd: unknown = new Map<string, unknown>(Object.entries(exports)).get("constantsEnd");
  const end = constantsEnd instanceof WebAssembly.Global ? constantsEnd.value : null;
  expect(end).toBeGreaterThan(64);
  expect(end).toBeLessThanOrEqual(first);
});

it("serves the second step from memory freed by the first", () => {
  const heap = new Heap();
  const lengths = Array.from({ length: 97 }, (_, i) => 1009 * ((i * 31) % 53));
  const step = () => {
    const buffers = lengths.map((length) => heap.alloc(length));
    for (const buffer of buffers) heap.free(buffer);
    return buffers.map((buffer) => buffer.pointer).sort((a, b) => a - b);
  };
  const first = step();
  const { bytes } = heap;
  expect(step()).toEqual(first);
  expect(heap.bytes).toBe(bytes);
});

it("does not keep memory for sizes that do not recur", () => {
  const heap = new Heap();
  const largest = 400_009;
  for (let length = 1; length <= largest; length += 1009) heap.free(heap.alloc(length));
  expect(heap.bytes).toBeLessThan(3 * 4 * largest + 4 * mebibyte);
});

it("merges free blocks before exceeding the limit, or else reports how much is missing", () => {
  const heap = new Heap(16 * mebibyte);
  // Seven of 2 MiB leave too little for one of 4 MiB, until two neighbors are freed.
  const buffers = Array.from({ length: 7 }, () => heap.alloc(mebibyte / 2));
  expect(() => heap.alloc(mebibyte)).toThrow(BackendError);
  expect(() => heap.alloc(mebibyte)).toThrow(
    /cannot allocate 4194304 bytes: 14\d+ of \d+ are in use, .* may grow to 16777216/,
  );
  for (const [mark, buffer] of buffers.entries()) numbersOf(heap, buffer).fill(mark);
  for (const buffer of buffers.splice(2, 2)) heap.free(buffer);
  numbersOf(heap, heap.alloc(mebibyte)).fill(7);
  expect(buffers.map((buffer) => [...new Set(numbersOf(heap, buffer))])).toEqual([[0], [1], [4], [5], [6]]);
});

it("exposes all memory after it has grown", () => {
  const heap = new Heap();
  const buffer = heap.alloc(heap.bytes);
  numbersOf(heap, buffer).fill(3);
  expect(numbersOf(heap, buffer)[buffer.length - 1]).toBe(3);
  expect(heap.floats.buffer).toBe(heap.memory.buffer);
});

it("rejects freed buffers, buffers of another heap, and invalid lengths", () => {
  const [heap, other] = [new Heap(8 * mebibyte), new Heap(8 * mebibyte)];
  for (const length of [0, 5]) {
    const buffer = heap.alloc(length);
    expect(() => other.free(buffer)).toThrow("lives in another backend's memory");
    heap.free(buffer);
    expect(() => heap.free(buffer)).toThrow(`a buffer of ${length} was used after free`);
    expect(() => heap.pointer(buffer)).toThrow(BackendError);
  }
  expect(() => heap.pointer({ length: 5 })).toThrow(BackendError);
  for (const length of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => heap.alloc(length)).toThrow(`got ${length}`);
  }
});

it("each thread has separate scratch memory, which moves only when it grows", () => {
  const heap = new Heap(undefined, 3);
  const first = heap.scratch(101);
  expect(heap.scratchStride).toBeGreaterThanOrEqual(4 * 101);
  // Room for all three: the next buffer begins after the last thread's scratch.
  expect(heap.alloc(1).pointer).toBeGreaterThanOrEqual(first + 3 * heap.scratchStride);
  expect(heap.scratch(97)).toBe(first);
  const longer = heap.scratch(1009);
  expect(heap.scratchStride).toBeGreaterThanOrEqual(4 * 1009);
  expect(heap.alloc(1).pointer).toBeGreaterThanOrEqual(longer + 3 * heap.scratchStride);
});
