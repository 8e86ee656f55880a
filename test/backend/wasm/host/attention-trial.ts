/**
 * One run of fused attention in WebAssembly, forward and backward, for the tests in this folder. Takes and returns
 * lists of numbers, and checks that no other memory is written.
 */
import { expect } from "vitest";
import type { AttentionSize, KeyRange, Matrices } from "../../../../src/backend/backend.ts";
import { loadKernels } from "../../../../src/backend/open.ts";
import { attention, attentionBackward } from "../../../../src/backend/wasm/host/attention.ts";
import { Heap, type WasmBuffer } from "../../../../src/backend/wasm/host/heap.ts";
import { HostArrays } from "../../../../src/backend/wasm/host/host-arrays.ts";
import { instantiate } from "../../../../src/backend/wasm/host/instance.ts";
import type { KernelExports } from "../../../../src/backend/wasm/host/signatures.ts";
import { Random } from "../../../../src/random.ts";

export const module = await loadKernels();
export const heap = new Heap();
export const hostArrays = new HostArrays(heap);
export const kernels = instantiate(module, heap.memory);

/** A batch of matrices, [batch][row][column]. */
export type Numbers = readonly (readonly (readonly number[])[])[];
export interface Inputs {
  readonly q: Numbers;
  readonly k: Numbers;
  readonly v: Numbers;
  readonly dy: Numbers;
}
export interface Results {
  readonly y: Numbers;
  readonly max: readonly number[];
  readonly sum: readonly number[];
  readonly dq: Numbers;
  readonly dk: Numbers;
  readonly dv: Numbers;
}
export interface Layout {
  readonly columnStride: number;
  readonly rowGap: number;
  readonly offset: number;
}

export const none = { dq: false, dk: false, dv: false };
export const dense: Layout = { columnStride: 1, rowGap: 0, offset: 0 };
export const sizes = {
  batch: [3],
  rows: 5,
  columns: 7,
  width: 8,
  scale: 0.4,
  mask: "causal",
  dropping: null,
} as const;
/** Fills memory that must not be written, and memory that must be overwritten. */
export const untouched = -77;

export function matrices(random: Random, count: number, rows: number, width: number): number[][][] {
  const number = () => Math.fround(2 * random.uniform() - 1);
  return lists(count, () => lists(rows, () => lists(width, number)));
}

export function inputsOf({ batch, rows, columns, width }: AttentionSize, seed = 1): Inputs {
  const random = Random.of(seed, "attention");
  const [count] = batch;
  return {
    q: matrices(random, count, rows, width),
    k: matrices(random, count, columns, width),
    v: matrices(random, count, columns, width),
    dy: matrices(random, count, rows, width),
  };
}

/** Key ranges from [start, end, diagonal] each. */
export function rangesOf(ranges: readonly (readonly number[])[]): KeyRange[] {
  return ranges.map(([start, end, diagonal]) => ({ start, end, diagonal }));
}

export function lists<T>(length: number, item: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => item(index));
}

export type Placed = Matrices & { readonly buffer: WasmBuffer };

/** Copies a batch into new memory, with `untouched` in the gaps. */
export function place(numbers: Numbers, { columnStride, rowGap, offset }: Layout): Placed {
  const [rows, width] = [numbers[0].length, numbers[0][0].length];
  const rowStride = width * columnStride + rowGap;
  const batchStrides = [rows * rowStride + 2 * rowGap];
  const buffer = heap.alloc(offset + numbers.length * batchStrides[0]);
  const view = numbersOf(buffer).fill(untouched);
  const placed = { buffer, offset, rowStride, columnStride, batchStrides };
  forEachPlace(placed, numbers, (at, b, i, d) => {
    view[at] = numbers[b][i][d];
  });
  return placed;
}

export function forEachPlace(
  { offset, rowStride, columnStride, batchStrides }: Matrices,
  shape: Numbers,
  visit: (at: number, matrix: number, row: number, column: number) => void,
): void {
  shape.forEach((rows, b) => {
    rows.forEach((row, i) => {
      row.forEach((_, d) => {
        visit(offset + b * batchStrides[0] + i * rowStride + d * columnStride, b, i, d);
      });
    });
  });
}

export function numbersOf(buffer: WasmBuffer): Float32Array {
  return heap.floats.subarray(buffer.pointer / 4, buffer.pointer / 4 + buffer.length);
}

/** Reads a batch of the shape of `like` from memory. Fails if a gap has changed. */
export function take(placed: Placed, like: Numbers): Numbers {
  const view = numbersOf(placed.buffer).slice();
  const numbers = like.map((rows) => rows.map((row) => row.map(() => 0)));
  forEachPlace(placed, like, (at, b, i, d) => {
    numbers[b][i][d] = view[at];
    view[at] = untouched;
  });
  expect(view.every((number) => number === untouched)).toBe(true);
  heap.free(placed.buffer);
  return numbers;
}

/** Runs forward and backward. Gradients start from `start` everywhere. */
export function run(inputs: Inputs, size: AttentionSize, options: Partial<RunOptions> = {}): Results {
  const { layout, accumulate, start, use } = { ...plainly(), ...options };
  const [q, k, v, dy] = [inputs.q, inputs.k, inputs.v, inputs.dy].map((numbers) => place(numbers, layout));
  const filled = (like: Numbers) =>
    place(
      like.map((rows) => rows.map((row) => row.map(() => start))),
      layout,
    );
  const [y, dq, dk, dv] = [inputs.q, inputs.q, inputs.k, inputs.v].map(filled);
  const statistics = statisticsOf(inputs.q.length * size.rows);
  attention(heap, hostArrays, use, y, statistics, q, k, v, size);
  attentionBackward(heap, hostArrays, use, dq, dk, dv, dy, y, statistics, q, k, v, size, accumulate);
  const [max, sum] = takeStatistics(statistics);
  for (const { buffer } of [q, k, v, dy]) heap.free(buffer);
  return {
    y: take(y, inputs.q),
    max,
    sum,
    dq: take(dq, inputs.q),
    dk: take(dk, inputs.k),
    dv: take(dv, inputs.v),
  };
}

export interface PlacedStatistics {
  readonly max: WasmBuffer;
  readonly sum: WasmBuffer;
}

/** Memory for the statistics of `rows` rows. */
export function statisticsOf(rows: number): PlacedStatistics {
  return { max: heap.alloc(rows), sum: heap.alloc(rows) };
}

/** Reads the maxima and the sums, and frees their memory. */
export function takeStatistics({ max, sum }: PlacedStatistics): [max: number[], sum: number[]] {
  const read = (buffer: WasmBuffer) => {
    const numbers = Array.from(numbersOf(buffer));
    heap.free(buffer);
    return numbers;
  };
  return [read(max), read(sum)];
}

export interface RunOptions {
  readonly layout: Layout;
  readonly accumulate: { readonly dq: boolean; readonly dk: boolean; readonly dv: boolean };
  readonly start: number;
  readonly use: Pick<KernelExports, "attention" | "attentionBackward">;
}

export function plainly(): RunOptions {
  return { layout: dense, accumulate: none, start: Number.NaN, use: kernels };
}

/** Fails unless |actual − expected| ≤ bound everywhere. NaN fails. */
export function expectNear(actual: Numbers, expected: Numbers, bound: number): void {
  const [a, e] = [actual.flat(2), expected.flat(2)];
  expect(a.length).toBe(e.length);
  const worst = a.findIndex((number, i) => !(Math.abs(number - e[i]) <= bound));
  expect(worst === -1 ? [] : [worst, a[worst], e[worst]]).toEqual([]);
}

/** The same, with some rows of each matrix filled with another number. */
export function poisoned(numbers: Numbers, where: (row: number) => boolean, poison: number): Numbers {
  return numbers.map((matrix) => matrix.map((row, i) => (where(i) ? row.map(() => poison) : row)));
}
