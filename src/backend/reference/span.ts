/** Memory of the reference backend: one typed array for each span. */
import { BackendError } from "../../errors.ts";
import type { Matrices, Sink, Span, Strided } from "../backend.ts";

export type Numbers = Float32Array | Float64Array;

export class ReferenceSpan implements Span {
  readonly length: number;
  /** null once freed. */
  numbers: Numbers | null;

  constructor(numbers: Numbers) {
    this.length = numbers.length;
    this.numbers = numbers;
  }
}

/** @throws BackendError for a span of another backend, or one that was freed */
export function numbersOf(span: Span): Numbers {
  if (!(span instanceof ReferenceSpan)) {
    throw new BackendError("reference: this span lives in another backend's memory");
  }
  if (span.numbers === null)
    throw new BackendError(`reference: a span of ${span.length} was used after free`);
  return span.numbers;
}

/** A function that stores or adds one number, as the sink wants it. */
export function putInto(sink: Sink): (index: number, value: number) => void {
  const numbers = numbersOf(sink.span);
  return sink.accumulate
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
  const numbers = numbersOf(matrices.span);
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

/** Where each matrix of a batch starts, the last batch axis fastest. */
export function batchStarts(matrices: Matrices, batch: readonly number[]): number[] {
  return startsOf({ span: matrices.span, offset: matrices.offset, strides: matrices.batchStrides }, batch);
}

/** Where each element of a strided block stands, the last axis fastest. */
export function startsOf(block: Strided, shape: readonly number[]): number[] {
  let starts = [block.offset];
  shape.forEach((length, axis) => {
    const steps = Array.from({ length }, (_, i) => i * block.strides[axis]);
    starts = starts.flatMap((start) => steps.map((step) => start + step));
  });
  return starts;
}
