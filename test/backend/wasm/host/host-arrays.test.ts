/** Numbers that kernels need from the host: where they lie, how long, and when they are read again. */
import { expect, it } from "vitest";
import { Heap } from "../../../../src/backend/wasm/host/heap.ts";
import { type HostArray, HostArrays } from "../../../../src/backend/wasm/host/host-arrays.ts";

function open() {
  const heap = new Heap();
  const arrays = new HostArrays(heap);
  const numbersAt = (address: number, length: number) =>
    Array.from(heap.floats.subarray(address / 4, address / 4 + length));
  /** Lends an array and returns its address. */
  const addressOf = (array: HostArray) => {
    let found = 0;
    arrays.lend(array, (at) => {
      found = at;
    });
    return found;
  };
  return { heap, arrays, numbersAt, addressOf };
}

/** The first `length` numbers of a list. */
function first(source: readonly number[], length = source.length): HostArray {
  const put = (floats: Float32Array, at: number) => floats.set(source.slice(0, length), at);
  return { source, length, put };
}

it("lends an array for one call, then frees its memory", () => {
  const { heap, arrays, numbersAt } = open();
  let address = 0;
  arrays.lend(first([3, -1, 4]), (at) => {
    address = at;
    expect(numbersAt(at, 3)).toEqual([3, -1, 4]);
    // It is not free yet.
    const other = heap.alloc(3);
    expect(other.pointer).not.toBe(at);
    heap.free(other);
  });
  expect(heap.alloc(3).pointer).toBe(address);
});

it("reads an array again each time it is lent", () => {
  const { arrays, numbersAt } = open();
  const source = [1, 2];
  for (const number of [5, 6]) {
    source[1] = number;
    arrays.lend(first(source), (at) => expect(numbersAt(at, 2)).toEqual([1, number]));
  }
});

it("keeps one copy for each source and length", () => {
  const { heap, arrays, numbersAt, addressOf } = open();
  const [source, twin] = [
    [1, 2, 3],
    [1, 2, 3],
  ];
  let addresses: number[] = [];
  arrays.keepDuring(() => {
    addresses = [first(source), first(twin), first(source, 2), first(source), first(twin)].map(addressOf);
  });
  const [ofSource, ofTwin, shorter] = addresses;
  expect(new Set(addresses).size).toBe(3);
  expect(addresses.slice(3)).toEqual([ofSource, ofTwin]);
  // The copies stay.
  for (let i = 0; i < 9; i++) expect(addresses).not.toContain(heap.alloc(3).pointer);
  expect([numbersAt(ofSource, 3), numbersAt(ofTwin, 3), numbersAt(shorter, 2)]).toEqual([
    [1, 2, 3],
    [1, 2, 3],
    [1, 2],
  ]);
});

it("reads every source again when refreshed, also after memory has grown", () => {
  const { heap, arrays, numbersAt, addressOf } = open();
  const [a, b] = [
    [1, 2, 3],
    [4, 5],
  ];
  let addresses: number[] = [];
  const kept = arrays.keepDuring(() => {
    addresses = [addressOf(first(a)), addressOf(first(b))];
  });
  const found = () => [numbersAt(addresses[0], 3), numbersAt(addresses[1], 2)];
  [a[1], b[0]] = [20, 40];
  expect(found()).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  kept.refresh();
  expect(found()).toEqual([
    [1, 20, 3],
    [40, 5],
  ]);
  heap.alloc(heap.bytes);
  b[1] = 50;
  kept.refresh();
  expect(found()).toEqual([
    [1, 20, 3],
    [40, 50],
  ]);
});

it("frees every copy, and keeps nothing that is lent later", () => {
  const { heap, arrays, addressOf } = open();
  let addresses: number[] = [];
  const kept = arrays.keepDuring(() => {
    addresses = [addressOf(first([1, 2, 3])), addressOf(first([4, 5, 6]))];
  });
  const later = addressOf(first([7, 8, 9]));
  expect(addresses).not.toContain(later);
  expect(heap.alloc(3).pointer).toBe(later);
  kept.free();
  expect([heap.alloc(3), heap.alloc(3)].map(({ pointer }) => pointer).sort()).toEqual(addresses.sort());
});

it("frees the copies of a body that throws, and keeps nothing that is lent later", () => {
  const { heap, arrays, addressOf } = open();
  let address = 0;
  const fail = () => {
    address = addressOf(first([1, 2, 3]));
    throw new Error("half way");
  };
  expect(() => arrays.keepDuring(fail)).toThrow("half way");
  expect(addressOf(first([4, 5, 6]))).toBe(address);
  expect(heap.alloc(3).pointer).toBe(address);
});
