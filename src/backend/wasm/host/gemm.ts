/**
 * The host side of the matrix product: checks that the matrices lie within their buffers, chooses a strategy, and
 * writes the arguments in the layout of `Product` in kernels/gemm-product.ts.
 */
import { BackendError, ShapeError } from "../../../errors.ts";
import type { Matrices, ProductSize } from "../../backend.ts";
import { checkReach } from "./bounds.ts";
import { bytesPerNumber, type Heap } from "./heap.ts";
import type { KernelExports } from "./signatures.ts";

/**
 * A block of A is (blockRows, blockInner): 96 KiB, part of a second-level cache. A block of B is (blockInner,
 * blockColumns). A panel of 16 of its columns is 24 KiB and stays in a first-level cache.
 */
const blockRows = 64;
const blockInner = 384;
const blockColumns = 512;
/** Scratch memory per thread: a row of zeros, a tile of 2 × 16, a block of A, a block of B. */
const scratchLength = 16 + 2 * 16 + blockRows * blockInner + blockInner * blockColumns;
/** Word offsets of the fields of `Product`, and of the four words for each batch axis after them. */
export const productWords = {
  ...{ c: 0, a: 1, b: 2, bias: 3, accumulate: 4, rows: 5, columns: 6, inner: 7 },
  ...{ cRow: 8, cColumn: 9, aRow: 10, aColumn: 11, bRow: 12, bColumn: 13, partRows: 14, partColumns: 15 },
  ...{ blockRows: 16, blockInner: 17, blockColumns: 18, axes: 19 },
  /** Words before the batch axes, and per batch axis. */
  ...{ head: 20, axis: 4 },
} as const;
export type ProductWords = typeof productWords;
const at = productWords;
/**
 * With fewer columns than this, the product is transposed if possible, because kernels/gemm-rows.ts is fast for few
 * rows.
 */
const fewColumns = 4;
/**
 * Products with fewer multiply-adds are not divided among threads: a part would read only pieces of B's rows, which is
 * slower.
 */
const leastCut = 131_072;
/** As in kernels/gemm-stream.ts. */
const [streamRows, streamColumns] = [2, 3072];
/** Parts consist of whole tiles of the kernel, even when transposed. */
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

  const isTransposed = isBetterTransposed(c, size);
  const words = heap.parameterWords;
  words[at.bias] = bias === null ? 0 : heap.pointer(bias);
  words[at.accumulate] = accumulate ? 1 : 0;
  words[at.rows] = isTransposed ? columns : rows;
  words[at.columns] = isTransposed ? rows : columns;
  words[at.inner] = inner;
  words[at.blockRows] = blockRows;
  words[at.blockInner] = evenBlock(inner);
  words[at.blockColumns] = blockColumns;
  words[at.axes] = batch.length;
  for (let axis = 0; axis < batch.length; axis++) words[at.head + at.axis * axis] = batch[axis];
  layOut(heap, 0, c, isTransposed);
  layOut(heap, 1, isTransposed ? b : a, isTransposed);
  layOut(heap, 2, isTransposed ? a : b, isTransposed);
  const isLarge = count < heap.threads && count * rows * columns * inner >= leastCut;
  const isCut = isLarge && !(heap.threads === 2 && isStreamed(words));
  const [partRows, partColumns] = partOf(words[at.rows], words[at.columns], isCut ? heap.threads : 1);
  words[at.partRows] = partRows;
  words[at.partColumns] = partColumns;
  const parts = count * Math.ceil(words[at.rows] / partRows) * Math.ceil(words[at.columns] / partColumns);
  kernels.gemm(heap.parameters.pointer, 0, parts, heap.scratch(scratchLength));
}

/**
 * Rows and columns of the parts into which one matrix is divided among threads; a batch of many matrices is not
 * divided. Each part packs its operands separately, so there are no more parts than threads, and the longer side is
 * divided: the operand along the other side is packed in full by each part.
 */
function partOf(rows: number, columns: number, parts: number): [rows: number, columns: number] {
  const cut = (length: number) => Math.ceil(length / parts / tileLength) * tileLength;
  if (parts === 1) return [rows, columns];
  return rows >= columns ? [cut(rows), columns] : [rows, cut(columns)];
}

/** Whether kernels/gemm-stream.ts may read B in one stream. Two threads, with half of each row, would take as long. */
function isStreamed(words: Int32Array): boolean {
  const rowBytes = bytesPerNumber * words[at.columns];
  const isContiguous = words[at.bColumn] === bytesPerNumber && words[at.bRow] === rowBytes;
  return isContiguous && words[at.rows] <= streamRows && words[at.columns] <= streamColumns;
}

/** Whether to compute Cᵀ = Bᵀ·Aᵀ instead. The sums are the same. A bias belongs to columns, so it rules this out. */
function isBetterTransposed(c: Matrices, { rows, columns, bias }: ProductSize): boolean {
  if (bias !== null) return false;
  if (columns < fewColumns || rows < fewColumns) return columns < rows;
  return c.columnStride !== 1 && c.rowStride === 1;
}

/** Divides the sums into the fewest blocks, all of about the same length. */
function evenBlock(inner: number): number {
  return Math.ceil(inner / Math.max(1, Math.ceil(inner / blockInner)));
}

/** Writes the fields of one operand (C, A, B are 0, 1, 2), transposed if `isTransposed`. */
function layOut(heap: Heap, operand: number, matrices: Matrices, isTransposed: boolean): void {
  const { buffer, offset, rowStride, columnStride, batchStrides } = matrices;
  const words = heap.parameterWords;
  words[operand] = heap.pointer(buffer) + bytesPerNumber * offset;
  words[at.cRow + 2 * operand] = bytesPerNumber * (isTransposed ? columnStride : rowStride);
  words[at.cColumn + 2 * operand] = bytesPerNumber * (isTransposed ? rowStride : columnStride);
  for (let axis = 0; axis < batchStrides.length; axis++) {
    words[at.head + at.axis * axis + 1 + operand] = bytesPerNumber * batchStrides[axis];
  }
}

function check(heap: Heap, c: Matrices, a: Matrices, b: Matrices, size: ProductSize): void {
  const { batch, rows, columns, inner, bias, accumulate } = size;
  const mostAxes = Math.floor((heap.parameters.length - at.head) / at.axis);
  if (batch.length > mostAxes) {
    throw new BackendError(`wasm: gemm supports at most ${mostAxes} batch axes: got ${batch.length}`);
  }
  if (bias !== null && accumulate)
    throw new ShapeError("gemm: a sum starts from the bias or from C, not both");
  if (bias !== null && bias.length < columns) {
    throw new ShapeError(`gemm: needs a bias of ${columns} numbers, one per column: got ${bias.length}`);
  }
  checkReach("gemm: C", c, batch, rows, columns);
  checkReach("gemm: A", a, batch, rows, inner);
  checkReach("gemm: B", b, batch, inner, columns);
}
