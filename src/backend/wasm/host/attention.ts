/**
 * The host side of fused attention: checks that the matrices lie within their buffers, and writes the arguments in the
 * layout of `Call` in kernels/attention-call.ts.
 *
 * The kernels process a row four numbers at a time. So the columns must be contiguous, and their number a multiple of
 * four. Other operands are copied and padded with zeros, and outputs are copied back.
 */
import { BackendError, ShapeError } from "../../../errors.ts";
import type { AttentionSize, Dropping, KeyRange, Matrices, SoftmaxStatistics } from "../../backend.ts";
import { checkReach } from "./bounds.ts";
import { bytesPerNumber, type Heap } from "./heap.ts";
import type { HostArrays } from "./host-arrays.ts";
import type { KernelExports } from "./signatures.ts";

/**
 * The rows that a kernel computes together: four in WebAssembly, up to sixteen in ../../native. Scratch memory has one
 * number of each for every column and for every number of a row.
 */
const mostRows = 16;
/** What the kernels in WebAssembly need besides, in numbers. */
const scratchHead = 32;
/** The number of words before the sizes of the batch axes, and per operand besides its batch strides. */
const headWords = 17;
const operandWords = 2;

interface Operand {
  readonly name: string;
  readonly matrices: Matrices;
  readonly rows: number;
  /** Whether the kernel writes it, and reads it if it accumulates. */
  readonly isOutput: boolean;
}

/** See `Kernels.attention` of ../backend.ts. */
export function attention(
  heap: Heap,
  hostArrays: HostArrays,
  kernels: Pick<KernelExports, "attention">,
  y: Matrices,
  statistics: SoftmaxStatistics,
  q: Matrices,
  k: Matrices,
  v: Matrices,
  size: AttentionSize,
): void {
  const { rows, columns, width } = size;
  const operands = [
    { name: "attention: y", matrices: y, rows, isOutput: true },
    { name: "attention: q", matrices: q, rows, isOutput: false },
    { name: "attention: k", matrices: k, rows: columns, isOutput: false },
    { name: "attention: v", matrices: v, rows: columns, isOutput: false },
  ];
  const scratch = heap.scratch(scratchHead + mostRows * (padded(columns) + padded(width)));
  check(heap, operands, statistics, size);
  withRanges(hostArrays, size, (ranges) => {
    withReady(heap, operands, size, (ready) => {
      layOut(heap, ready, statistics, size, ranges, { dq: false, dk: false, dv: false });
      kernels.attention(heap.parameters.pointer, 0, matricesIn(size.batch), scratch);
    });
  });
}

/** See `Kernels.attentionBackward` of ../backend.ts. */
export function attentionBackward(
  heap: Heap,
  hostArrays: HostArrays,
  kernels: Pick<KernelExports, "attentionBackward">,
  dq: Matrices,
  dk: Matrices,
  dv: Matrices,
  dy: Matrices,
  y: Matrices,
  statistics: SoftmaxStatistics,
  q: Matrices,
  k: Matrices,
  v: Matrices,
  size: AttentionSize,
  accumulate: { readonly dq: boolean; readonly dk: boolean; readonly dv: boolean },
): void {
  const { rows, columns, width } = size;
  const operands = [
    { name: "attention: dq", matrices: dq, rows, isOutput: true },
    { name: "attention: dk", matrices: dk, rows: columns, isOutput: true },
    { name: "attention: dv", matrices: dv, rows: columns, isOutput: true },
    { name: "attention: dy", matrices: dy, rows, isOutput: false },
    { name: "attention: y", matrices: y, rows, isOutput: false },
    { name: "attention: q", matrices: q, rows, isOutput: false },
    { name: "attention: k", matrices: k, rows: columns, isOutput: false },
    { name: "attention: v", matrices: v, rows: columns, isOutput: false },
  ];
  const scratch = heap.scratch(scratchHead + mostRows * (2 * padded(columns) + padded(width)));
  check(heap, operands, statistics, size);
  withRanges(hostArrays, size, (ranges) => {
    withReady(heap, operands, size, (ready) => {
      layOut(heap, ready, statistics, size, ranges, accumulate);
      kernels.attentionBackward(heap.parameters.pointer, 0, matricesIn(size.batch), scratch);
    });
  });
}

/** Calls `use` with the address of the key ranges (start, end and diagonal of each), or 0 if there are none. */
function withRanges(hostArrays: HostArrays, { mask }: AttentionSize, use: (ranges: number) => void): void {
  if (typeof mask === "string") {
    use(0);
    return;
  }
  const put = (floats: Float32Array, at: number) => {
    for (let i = 0; i < mask.length; i++) {
      const { start, end, diagonal } = mask[i];
      floats[at + 3 * i] = start;
      floats[at + 3 * i + 1] = end;
      floats[at + 3 * i + 2] = diagonal;
    }
  };
  hostArrays.lend({ source: mask, length: 3 * mask.length, put }, use);
}

function layOut(
  heap: Heap,
  operands: readonly Matrices[],
  statistics: SoftmaxStatistics,
  size: AttentionSize,
  ranges: number,
  accumulate: { readonly dq: boolean; readonly dk: boolean; readonly dv: boolean },
): void {
  const { batch, rows, columns, width, scale, mask, dropping } = size;
  const words = heap.parameterWords;
  const first = heap.parameters.pointer / bytesPerNumber;
  words[0] = rows;
  words[1] = columns;
  words[2] = bytesPerNumber * padded(width);
  heap.floats[first + 3] = scale;
  words[4] = mask === "causal" ? columns - rows : columns;
  words[5] = ranges;
  words[6] = dropping === null ? 0 : 1;
  const { probability, key }: Dropping = dropping ?? { probability: 0, key: [0, 0] };
  words[7] = Math.floor(probability * 2 ** 32);
  words[8] = key[0];
  words[9] = key[1];
  heap.floats[first + 10] = 1 / (1 - probability);
  words[11] = heap.pointer(statistics.max);
  words[12] = heap.pointer(statistics.sum);
  words[13] = Number(accumulate.dq);
  words[14] = Number(accumulate.dk);
  words[15] = Number(accumulate.dv);
  words[16] = batch.length;
  let at = headWords;
  for (const length of batch) words[at++] = length;
  for (const { buffer, offset, rowStride, batchStrides } of operands) {
    words[at++] = heap.pointer(buffer) + bytesPerNumber * offset;
    words[at++] = bytesPerNumber * rowStride;
    for (const stride of batchStrides) words[at++] = bytesPerNumber * stride;
  }
}

function check(
  heap: Heap,
  operands: readonly Operand[],
  statistics: SoftmaxStatistics,
  size: AttentionSize,
): void {
  const { batch, rows, columns, width, mask } = size;
  if (mask === "causal" && rows > columns) {
    throw new ShapeError(`attention: causal needs columns ≥ rows: got ${rows} rows over ${columns} columns`);
  }
  const words = headWords + batch.length + operands.length * (operandWords + batch.length);
  if (words > heap.parameters.length) {
    throw new BackendError(`wasm: attention does not support ${batch.length} batch axes`);
  }
  const count = matricesIn(batch);
  for (const name of ["max", "sum"] as const) {
    const { length } = statistics[name];
    if (length >= count * rows) continue;
    throw new ShapeError(`attention: statistics.${name} needs ${count * rows} numbers: got ${length}`);
  }
  if (count === 0) return;
  if (typeof mask !== "string") checkRanges(mask, size);
  for (const { name, matrices, rows } of operands) checkReach(name, matrices, batch, rows, width);
}

/** Out-of-range keys would make the kernels read outside k and v. */
function checkRanges(ranges: readonly KeyRange[], { batch, columns }: AttentionSize): void {
  if (ranges.length !== batch[0]) {
    throw new ShapeError(
      `attention: needs a key range for each of ${batch[0] ?? 0} matrices of the first batch axis: got ${ranges.length}`,
    );
  }
  ranges.forEach(({ start, end, diagonal }, i) => {
    const isColumn = (x: number) => Number.isInteger(x) && x >= 0 && x <= columns;
    if (isColumn(start) && isColumn(end) && Number.isInteger(diagonal) && Math.abs(diagonal) <= 2 ** 24)
      return;
    throw new BackendError(
      `wasm: attention: key range ${i} needs whole numbers, start and end in 0 … ${columns} and a diagonal in ` +
        `−2²⁴ … 2²⁴: got start ${start}, end ${end}, diagonal ${diagonal}`,
    );
  });
}

/** Calls `use` with operands that the kernels can read: the originals, or copies for the duration of the call. */
function withReady(
  heap: Heap,
  operands: readonly Operand[],
  size: AttentionSize,
  use: (ready: readonly Matrices[]) => void,
): void {
  const isReady = ({ matrices }: Operand) => matrices.columnStride === 1 && size.width % 4 === 0;
  const ready = operands.map((operand) =>
    isReady(operand) ? operand.matrices : paddedCopy(heap, operand.matrices, operand.rows, size),
  );
  use(ready);
  for (let i = 0; i < operands.length; i++) {
    const { matrices, rows, isOutput } = operands[i];
    if (ready[i] === matrices) continue;
    if (isOutput) copyMatrices(heap, matrices, ready[i], rows, size);
    heap.free(ready[i].buffer);
  }
}

function paddedCopy(heap: Heap, matrices: Matrices, rows: number, size: AttentionSize): Matrices {
  const { batch, width } = size;
  const rowStride = padded(width);
  const buffer = heap.alloc(matricesIn(batch) * rows * rowStride);
  const batchStrides = batch.map((_, axis) => matricesIn(batch.slice(axis + 1)) * rows * rowStride);
  const copy = { buffer, offset: 0, rowStride, columnStride: 1, batchStrides };
  const first = buffer.pointer / bytesPerNumber;
  heap.floats.fill(0, first, first + buffer.length);
  copyMatrices(heap, copy, matrices, rows, size);
  return copy;
}

function copyMatrices(heap: Heap, to: Matrices, from: Matrices, rows: number, size: AttentionSize): void {
  heap.hostAccesses++;
  const { floats } = heap;
  const sources = startsOf(heap, from, size.batch);
  startsOf(heap, to, size.batch).forEach((start, matrix) => {
    for (let row = 0; row < rows; row++) {
      const dst = start + row * to.rowStride;
      const src = sources[matrix] + row * from.rowStride;
      for (let d = 0; d < size.width; d++) {
        floats[dst + d * to.columnStride] = floats[src + d * from.columnStride];
      }
    }
  });
}

/** The index of the first number of each matrix in memory; the last batch axis varies fastest. */
function startsOf(
  heap: Heap,
  { buffer, offset, batchStrides }: Matrices,
  batch: readonly number[],
): number[] {
  let starts = [heap.pointer(buffer) / bytesPerNumber + offset];
  batch.forEach((length, axis) => {
    starts = starts.flatMap((start) => Array.from({ length }, (_, i) => start + i * batchStrides[axis]));
  });
  return starts;
}

function matricesIn(batch: readonly number[]): number {
  let count = 1;
  for (const length of batch) count *= length;
  return count;
}

/** The next multiple of four. */
function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
