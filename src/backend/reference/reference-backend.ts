/**
 * The reference backend: every kernel as plain loops that a student can follow. It is the specification.
 *
 * With `Float64Array` it serves to check gradients. With `Float32Array` it stores the same precision as other
 * backends, while sums still run in double precision. New memory holds NaN and freed memory throws, so an op that
 * reads memory it has not written, or no longer owns, is caught immediately.
 */
import type { Backend, Buffer } from "../backend.ts";
import { attention, attentionBackward } from "./attention.ts";
import { binary, scale } from "./binary.ts";
import { numbersOf, ReferenceBuffer } from "./buffer.ts";
import { copy } from "./copy.ts";
import { crossEntropyRows, crossEntropyRowsBackward } from "./cross-entropy.ts";
import { dropout } from "./dropout.ts";
import { gatherRows, scatterAddRows, scatterRows } from "./gather.ts";
import { gemm } from "./gemm.ts";
import { fillNormal } from "./normal.ts";
import { normalizeRows, normalizeRowsBackward } from "./normalize.ts";
import { adamw } from "./optimizer.ts";
import { maxAxis, maxAxisBackward, sumAxis, sumsOfSquares } from "./reduce.ts";
import { rotateRows } from "./rotate.ts";
import { logSoftmaxRows, logSoftmaxRowsBackward, softmaxRows, softmaxRowsBackward } from "./softmax.ts";
import { geluWithDerivative, unary, unaryBackward } from "./unary.ts";

export class ReferenceBackend implements Backend {
  readonly name: string = "reference";
  readonly exact = true;
  readonly library = null;
  readonly threads = 1;
  readonly #double: boolean;

  constructor(precision: "single" | "double" = "single") {
    this.#double = precision === "double";
  }

  alloc(length: number): Buffer {
    const numbers = this.#double ? new Float64Array(length) : new Float32Array(length);
    return new ReferenceBuffer(numbers.fill(Number.NaN));
  }

  free(buffer: Buffer): void {
    // numbersOf throws on a second free.
    numbersOf(buffer);
    if (buffer instanceof ReferenceBuffer) buffer.numbers = null;
  }

  fill(dst: Buffer, value: number): void {
    numbersOf(dst).fill(value);
  }

  write(dst: Buffer, src: ArrayLike<number>, at = 0): void {
    numbersOf(dst).set(src, at);
  }

  read(src: Buffer): Promise<Float32Array | Float64Array> {
    return Promise.resolve(numbersOf(src).slice());
  }

  view(buffer: Buffer): Float32Array | Float64Array {
    return numbersOf(buffer);
  }

  capture(body: () => void): null {
    body();
    return null;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  readonly gemm = gemm;
  readonly unary = unary;
  readonly unaryBackward = unaryBackward;
  readonly geluWithDerivative = geluWithDerivative;
  readonly binary = binary;
  readonly scale = scale;
  readonly copy = copy;
  readonly sumAxis = sumAxis;
  readonly maxAxis = maxAxis;
  readonly maxAxisBackward = maxAxisBackward;
  readonly softmaxRows = softmaxRows;
  readonly softmaxRowsBackward = softmaxRowsBackward;
  readonly logSoftmaxRows = logSoftmaxRows;
  readonly logSoftmaxRowsBackward = logSoftmaxRowsBackward;
  readonly normalizeRows = normalizeRows;
  readonly normalizeRowsBackward = normalizeRowsBackward;
  readonly rotateRows = rotateRows;
  readonly gatherRows = gatherRows;
  readonly scatterRows = scatterRows;
  readonly scatterAddRows = scatterAddRows;
  readonly dropout = dropout;
  readonly fillNormal = fillNormal;
  readonly crossEntropyRows = crossEntropyRows;
  readonly crossEntropyRowsBackward = crossEntropyRowsBackward;
  readonly attention = attention;
  readonly attentionBackward = attentionBackward;
  readonly sumsOfSquares = sumsOfSquares;
  readonly adamw = adamw;
}
