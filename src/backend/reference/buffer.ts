/** Memory of the reference backend: one typed array per buffer. */
import { BackendError } from "../../errors.ts";
import type { Buffer, Matrices, Strided, WriteTarget } from "../backend.ts";

export type Numbers = Float32Array | Float64Array;

export class ReferenceBuffer implements Buffer {
  readonly length: number;
  /** null after it was freed. */
  numbers: Numbers | null;

  constructor(numbers: Numbers) {
    this.length = numbers.length;
    this.numbers = numbers;
  }
}

/** @throws BackendError if the buffer belongs to another backend or was freed */
export function numbersOf(buffer: Buffer): Numbers {
  if (!(buffer instanceof ReferenceBuffer)) {
    throw new BackendError("reference: this buffer lives in another backend's memory");
  }
  if (buffer.numbers === null)
    throw new BackendError(`reference: a buffer of ${buffer.length} was used after free`);
  return buffer.numbers;
}

/** Returns a function that stores or adds one number, depending on the target. */
export function putInto(target: WriteTarget): (index: number, value: number) => void {
  const numbers = numbersOf(target.buffer);
  return target.accumulate
    ? (index, value) => {
        numbers[index] += value;
      }
    : (index, value) => {
        numbers[index] = value;
      };
}

/** One matrix of a batch, read and written by row and column. */
export interface MatrixView {
  get(row: number, column: number): number;
  set(row: number, column: number, value: number): void;
  add(row: number, column: number, value: number): void;
}

/** The matrix of a batch that starts at `start` (see `batchStarts`). */
export function matrixAt(matrices: Matrices, start: number): MatrixView {
  const numbers = numbersOf(matrices.buffer);
  const { rowStride, columnStride } = matrices;
  return {
    get: (row, column) => numbers[start + row * rowStride + column * columnStride],
    set: (row, column, value) => {
      numbers[start + row * rowStride + column * columnStride] = value;
    },
    add: (row, column, value) => {
      numbers[start + row * rowStride + column * columnStride] += value;
    },
  };
}

/** The start of each matrix of a batch, with the last batch axis fastest. */
export function batchStarts(matrices: Matrices, batch: readonly number[]): number[] {
  return startsOf(
    { buffer: matrices.buffer, offset: matrices.offset, strides: matrices.batchStrides },
    batch,
  );
}

/** The index of each element of a strided block, with the last axis fastest. */
export function startsOf(block: Strided, shape: readonly number[]): number[] {
  let starts = [block.offset];
  shape.forEach((length, axis) => {
    const next: number[] = [];
    for (const start of starts) {
      for (let i = 0; i < length; i++) next.push(start + i * block.strides[axis]);
    }
    starts = next;
  });
  return starts;
}
