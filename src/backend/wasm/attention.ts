/**
 * The host's side of fused attention: checks the sizes, lays them out for kernels/attention-*.ts and calls.
 *
 * The kernels take vectors of four along a row, so its columns must stand one after the other and their number be
 * a multiple of four. Operands that do not come so are copied, padded with zeros, and results copied back.
 */
import { BackendError, ShapeError } from "../../errors.ts";
import type { AttentionSize, Matrices, Span } from "../backend.ts";
import type { Heap } from "./heap.ts";
import type { KernelExports } from "./signatures.ts";

const bytesPerNumber = 4;
/** Numbers of scratch that the kernels need beside those for each column: NUMBERS of kernels/attention-call.ts. */
const scratchHead = 32;

export function attention(
  heap: Heap,
  kernels: Pick<KernelExports, "attention">,
  y: Matrices,
  logSumExp: Span,
  q: Matrices,
  k: Matrices,
  v: Matrices,
  size: AttentionSize,
): void {
  const { rows, columns } = size;
  const scratch = heap.scratch(0, scratchHead + 4 * padded(columns)).pointer;
  const operands = [
    { matrices: y, rows, output: true },
    { matrices: q, rows, output: false },
    { matrices: k, rows: columns, output: false },
    { matrices: v, rows: columns, output: false },
  ];
  callOver(heap, operands, logSumExp, size, [false, false, false], (parameters, count) => {
    kernels.attention(parameters, 0, count, scratch);
  });
}

export function attentionBackward(
  heap: Heap,
  kernels: Pick<KernelExports, "attentionBackward">,
  dq: Matrices,
  dk: Matrices,
  dv: Matrices,
  dy: Matrices,
  y: Matrices,
  logSumExp: Span,
  q: Matrices,
  k: Matrices,
  v: Matrices,
  size: AttentionSize,
  accumulate: { readonly dq: boolean; readonly dk: boolean; readonly dv: boolean },
): void {
  const { rows, columns } = size;
  const scratch = heap.scratch(0, scratchHead + 8 * padded(columns)).pointer;
  const operands = [
    { matrices: dq, rows, output: true },
    { matrices: dk, rows: columns, output: true },
    { matrices: dv, rows: columns, output: true },
    { matrices: dy, rows, output: false },
    { matrices: y, rows, output: false },
    { matrices: q, rows, output: false },
    { matrices: k, rows: columns, output: false },
    { matrices: v, rows: columns, output: false },
  ];
  const flags = [accumulate.dq, accumulate.dk, accumulate.dv];
  callOver(heap, operands, logSumExp, size, flags, (parameters, count) => {
    kernels.attentionBackward(parameters, 0, count, scratch);
  });
}

/** A batch of matrices of `rows` rows. */
interface Operand {
  readonly matrices: Matrices;
  readonly rows: number;
  /** Written by the kernel; and read too, where it accumulates. */
  readonly output: boolean;
}

/** Lays out what the kernel is told, as `Call` of kernels/attention-call.ts has it, and calls it. */
function callOver(
  heap: Heap,
  operands: readonly Operand[],
  logSumExp: Span,
  size: AttentionSize,
  accumulate: readonly boolean[],
  call: (parameters: number, count: number) => void,
): void {
  check(heap, operands, logSumExp, size);
  const { batch, rows, columns, scale, visible, dropping } = size;
  const staged = operands.map((operand) =>
    isReady(operand, size) ? operand.matrices : stage(heap, operand, size),
  );
  const words = new Int32Array(heap.memory.buffer, heap.parameters.pointer, heap.parameters.length);
  const floats = new Float32Array(heap.memory.buffer, heap.parameters.pointer, heap.parameters.length);
  words[0] = rows;
  words[1] = columns;
  words[2] = bytesPerNumber * padded(size.width);
  floats[3] = scale;
  words[4] = visible === "all" ? columns : columns - rows + 1;
  words[5] = visible === "all" ? 0 : 1;
  words[6] = dropping === null ? 0 : 1;
  words[7] = dropping === null ? 0 : Math.floor(dropping.probability * 2 ** 32);
  words[8] = dropping === null ? 0 : dropping.key[0];
  words[9] = dropping === null ? 0 : dropping.key[1];
  floats[10] = dropping === null ? 1 : 1 / (1 - dropping.probability);
  words[11] = heap.pointer(logSumExp);
  for (let i = 0; i < 3; i++) words[12 + i] = Number(accumulate[i] ?? false);
  words[15] = batch.length;
  let at = 16;
  for (const length of batch) words[at++] = length;
  for (const { span, offset, rowStride, batchStrides } of staged) {
    words[at++] = heap.pointer(span) + bytesPerNumber * offset;
    words[at++] = bytesPerNumber * rowStride;
    for (const stride of batchStrides) words[at++] = bytesPerNumber * stride;
  }
  call(heap.parameters.pointer, matricesIn(batch));
  operands.forEach((operand, i) => {
    if (staged[i] === operand.matrices) return;
    if (operand.output) copyMatrices(heap, operand.matrices, staged[i], operand.rows, size);
    heap.free(staged[i].span);
  });
}

function check(heap: Heap, operands: readonly Operand[], logSumExp: Span, size: AttentionSize): void {
  const { batch, rows, columns, visible } = size;
  if (visible === "staircase" && rows > columns) {
    throw new ShapeError(
      `attention: a staircase needs columns ≥ rows: got ${rows} rows over ${columns} columns`,
    );
  }
  const words = 16 + batch.length + operands.length * (2 + batch.length);
  if (words > heap.parameters.length) {
    throw new BackendError(`wasm: attention takes fewer batch axes than ${batch.length}`);
  }
  if (logSumExp.length < matricesIn(batch) * rows) {
    throw new BackendError(
      `wasm: attention needs ${matricesIn(batch) * rows} numbers for logSumExp, the span holds ${logSumExp.length}`,
    );
  }
  for (const { matrices, rows } of operands) checkReach(matrices, rows, size);
}

/** Every element lies in its span, or the kernel would run on into a neighbour. */
function checkReach(matrices: Matrices, rows: number, { batch, width }: AttentionSize): void {
  const { span, offset, rowStride, columnStride, batchStrides } = matrices;
  if (matricesIn(batch) * rows * width === 0) return;
  let first = offset;
  let last = offset;
  const reach = (length: number, stride: number): void => {
    first += Math.min((length - 1) * stride, 0);
    last += Math.max((length - 1) * stride, 0);
  };
  reach(rows, rowStride);
  reach(width, columnStride);
  batch.forEach((length, axis) => {
    reach(length, batchStrides[axis]);
  });
  if (first < 0 || last >= span.length) {
    throw new BackendError(
      `wasm: attention: ${rows} × ${width} matrices of batch [${batch}] reach numbers ${first} … ${last} of a ` +
        `span that holds ${span.length}`,
    );
  }
}

function isReady({ matrices }: Operand, { width }: AttentionSize): boolean {
  return matrices.columnStride === 1 && width % 4 === 0;
}

/** A copy without gaps, each row padded with zeros. */
function stage(heap: Heap, { matrices, rows }: Operand, size: AttentionSize): Matrices {
  const rowStride = padded(size.width);
  const span = heap.alloc(matricesIn(size.batch) * rows * rowStride);
  const batchStrides = size.batch.map((_, axis) => matricesIn(size.batch.slice(axis + 1)) * rows * rowStride);
  const copy = { span, offset: 0, rowStride, columnStride: 1, batchStrides };
  heap.floats.fill(0, span.pointer / bytesPerNumber, span.pointer / bytesPerNumber + span.length);
  copyMatrices(heap, copy, matrices, rows, size);
  return copy;
}

function copyMatrices(
  heap: Heap,
  to: Matrices,
  from: Matrices,
  rows: number,
  { batch, width }: AttentionSize,
): void {
  const { floats } = heap;
  const targets = startsOf(heap, to, batch);
  const sources = startsOf(heap, from, batch);
  targets.forEach((target, matrix) => {
    for (let row = 0; row < rows; row++) {
      const dst = target + row * to.rowStride;
      const src = sources[matrix] + row * from.rowStride;
      for (let d = 0; d < width; d++) floats[dst + d * to.columnStride] = floats[src + d * from.columnStride];
    }
  });
}

/** Where each matrix starts in memory, in numbers; the last batch axis is the fastest. */
function startsOf(heap: Heap, { span, offset, batchStrides }: Matrices, batch: readonly number[]): number[] {
  let starts = [heap.pointer(span) / bytesPerNumber + offset];
  batch.forEach((length, axis) => {
    starts = starts.flatMap((start) => Array.from({ length }, (_, i) => start + i * batchStrides[axis]));
  });
  return starts;
}

function matricesIn(batch: readonly number[]): number {
  return batch.reduce((count, length) => count * length, 1);
}

/** The next multiple of four. */
function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
