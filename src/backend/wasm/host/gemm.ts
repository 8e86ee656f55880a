/**
 * The host's side of the matrix product: checks that the matrices lie in their buffers, chooses how to go about the
 * product, and lays it out as `Product` of kernels/gemm-product.ts.
 */
import { BackendError, ShapeError } from "../../../errors.ts";
import type { Matrices, ProductSize } from "../../backend.ts";
import { checkReach } from "./bounds.ts";
import type { Heap } from "./heap.ts";
import type { KernelExports } from "./signatures.ts";

const bytesPerNumber = 4;
/**
 * A block of A is (blockRows, blockInner): 96 KiB, a part of a second-level cache. A block of B is (blockInner,
 * blockColumns); a panel of 16 of its columns, 24 KiB, stays in a first-level cache.
 */
const blockRows = 64;
const blockInner = 384;
const blockColumns = 512;
/** What a thread works in: a row of zeros, a tile of 2 × 16, a block of A, a block of B. */
const scratchLength = 16 + 2 * 16 + blockRows * blockInner + blockInner * blockColumns;
/** Places of the words of `Product`, and of the four words of each batch axis that follow. */
export const productWords = {
  ...{ c: 0, a: 1, b: 2, bias: 3, accumulate: 4, rows: 5, columns: 6, inner: 7 },
  ...{ cRow: 8, cColumn: 9, aRow: 10, aColumn: 11, bRow: 12, bColumn: 13, partRows: 14, partColumns: 15 },
  ...{ blockRows: 16, blockInner: 17, blockColumns: 18, axes: 19 },
  /** Before the batch axes, and for each of them. */
  ...{ head: 20, axis: 4 },
} as const;
export type ProductWords = typeof productWords;
const at = productWords;
/** Columns that are fewer than this become rows, where they may: kernels/gemm-rows.ts is quick with few rows. */
const fewColumns = 4;
/** Multiply-adds below which a product stays whole: in two halves, rows of B are read in pieces. */
const leastCut = 131_072;
/** Parts are whole tiles of the kernel, also when turned. */
const tileLength = 16;

/** C = A·B, C = A·B + bias or C += A·B: see `Kernels.gemm` of ../backend.ts. */
export function gemm(
  heap: Heap,
  kernels: Pick<KernelExports, "gemm">,
  c: Matrices,
  a: Matrices,
  b: Matrices,
  size: ProductSize,
): void {
  const { batch, rows, columns, inner, accumulate, bias } = size;
  let count = 1;
  for (const length of batch) count *= length;
  if (count === 0 || rows === 0 || columns === 0) return;
  check(heap, c, a, b, size);

  const turned = isBetterTurned(c, size);
  const words = heap.parameterWords;
  words[at.bias] = bias === null ? 0 : heap.pointer(bias);
  words[at.accumulate] = accumulate ? 1 : 0;
  words[at.rows] = turned ? columns : rows;
  words[at.columns] = turned ? rows : columns;
  words[at.inner] = inner;
  const isCut = count < heap.threads && count * rows * columns * inner >= leastCut;
  const [partRows, partColumns] = partOf(words[at.rows], words[at.columns], isCut ? heap.threads : 1);
  words[at.partRows] = partRows;
  words[at.partColumns] = partColumns;
  words[at.blockRows] = blockRows;
  words[at.blockInner] = evenBlock(inner);
  words[at.blockColumns] = blockColumns;
  words[at.axes] = batch.length;
  for (let axis = 0; axis < batch.length; axis++) words[at.head + at.axis * axis] = batch[axis];
  layOut(heap, 0, c, turned);
  layOut(heap, 1, turned ? b : a, turned);
  layOut(heap, 2, turned ? a : b, turned);
  const parts = count * Math.ceil(words[at.rows] / partRows) * Math.ceil(words[at.columns] / partColumns);
  kernels.gemm(heap.parameters.pointer, 0, parts, heap.scratch(scratchLength));
}

/**
 * Rows and columns of the parts of one matrix that threads take; a batch of many matrices needs no cutting. A part
 * packs what it multiplies for itself, so there are no more parts than threads, and the longer side is cut: of
 * the other, everything is packed again.
 */
function partOf(rows: number, columns: number, parts: number): [rows: number, columns: number] {
  const cut = (length: number) => Math.ceil(length / parts / tileLength) * tileLength;
  if (parts === 1) return [rows, columns];
  return rows >= columns ? [cut(rows), columns] : [rows, cut(columns)];
}

/** Cᵀ = Bᵀ·Aᵀ has the same sums. A bias stays with its columns. */
function isBetterTurned(c: Matrices, { rows, columns, bias }: ProductSize): boolean {
  if (bias !== null) return false;
  if (columns < fewColumns || rows < fewColumns) return columns < rows;
  return c.columnStride !== 1 && c.rowStride === 1;
}

/** Cuts the sums into the fewest blocks, all of about the same length. */
function evenBlock(inner: number): number {
  return Math.ceil(inner / Math.max(1, Math.ceil(inner / blockInner)));
}

/** Writes one operand (C, A, B are 0, 1, 2) into its places among the words, transposed if `turned`. */
function layOut(heap: Heap, operand: number, matrices: Matrices, turned: boolean): void {
  const { buffer, offset, rowStride, columnStride, batchStrides } = matrices;
  const words = heap.parameterWords;
  words[operand] = heap.pointer(buffer) + bytesPerNumber * offset;
  words[at.cRow + 2 * operand] = bytesPerNumber * (turned ? columnStride : rowStride);
  words[at.cColumn + 2 * operand] = bytesPerNumber * (turned ? rowStride : columnStride);
  for (let axis = 0; axis < batchStrides.length; axis++) {
    words[at.head + at.axis * axis + 1 + operand] = bytesPerNumber * batchStrides[axis];
  }
}

function check(heap: Heap, c: Matrices, a: Matrices, b: Matrices, size: ProductSize): void {
  const { batch, rows, columns, inner, bias, accumulate } = size;
  const mostAxes = Math.floor((heap.parameters.length - at.head) / at.axis);
  if (batch.length > mostAxes) {
    throw new BackendError(`wasm: gemm takes ${mostAxes} batch axes at most: got ${batch.length}`);
  }
  if (bias !== null && accumulate)
    throw new ShapeError("gemm: a sum starts from the bias or from C, not both");
  if (bias !== null && bias.length < columns) {
    throw new ShapeError(`gemm: ${columns} columns need as many biases: got ${bias.length}`);
  }
  checkReach("gemm: C", c, batch, rows, columns);
  checkReach("gemm: A", a, batch, rows, inner);
  checkReach("gemm: B", b, batch, inner, columns);
}
