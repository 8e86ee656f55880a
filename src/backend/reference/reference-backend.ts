/**
 * The reference backend: every kernel as plain loops that a student can follow. It is the specification.
 *
 * Over `Float64Array` it checks gradients; over `Float32Array` it stores what other backends store, while sums
 * still run in double precision. New memory holds NaN and freed memory throws, so that an op which reads what
 * it never wrote, or what it no longer owns, is found at once.
 */
import type { Backend, Span } from "../backend.ts";
import { attention, attentionBackward } from "./attention.ts";
import { copy } from "./copy.ts";
import { crossEntropyRows, crossEntropyRowsBackward } from "./cross-entropy.ts";
import { dropout } from "./dropout.ts";
import { gatherRows, scatterAddRows, scatterRows } from "./gather.ts";
import { gemm } from "./gemm.ts";
import { map, mapBackward, mapWithSlope } from "./map.ts";
import { addAndNormalizeRows, normalizeRows, normalizeRowsBackward } from "./normalize.ts";
import { adamw } from "./optimizer.ts";
import { maxAxis, maxAxisBackward, sumAxis, sumsOfSquares } from "./reduce.ts";
import { rotateRows } from "./rotate.ts";
import { logSoftmaxRows, logSoftmaxRowsBackward, softmaxRows, softmaxRowsBackward } from "./softmax.ts";
import { numbersOf, ReferenceSpan } from "./span.ts";
import { scale, zip } from "./zip.ts";

export class ReferenceBackend implements Backend {
  readonly name: string = "reference";
  readonly exact = true;
  readonly library = null;
  readonly threads = 1;
  readonly #double: boolean;

  constructor(precision: "single" | "double" = "single") {
    this.#double = precision === "double";
  }

  alloc(length: number): Span {
    const numbers = this.#double ? new Float64Array(length) : new Float32Array(length);
    return new ReferenceSpan(numbers.fill(Number.NaN));
  }

  free(span: Span): void {
    // numbersOf throws on a second free.
    numbersOf(span);
    if (span instanceof ReferenceSpan) span.numbers = null;
  }

  fill(dst: Span, value: number): void {
    numbersOf(dst).fill(value);
  }

  write(dst: Span, src: ArrayLike<number>, at = 0): void {
    numbersOf(dst).set(src, at);
  }

  read(src: Span): Promise<Float32Array | Float64Array> {
    return Promise.resolve(numbersOf(src).slice());
  }

  record(body: () => void): null {
    body();
    return null;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  readonly gemm = gemm;
  readonly map = map;
  readonly mapBackward = mapBackward;
  readonly mapWithSlope = mapWithSlope;
  readonly zip = zip;
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
  readonly addAndNormalizeRows = addAndNormalizeRows;
  readonly normalizeRowsBackward = normalizeRowsBackward;
  readonly rotateRows = rotateRows;
  readonly gatherRows = gatherRows;
  readonly scatterRows = scatterRows;
  readonly scatterAddRows = scatterAddRows;
  readonly dropout = dropout;
  readonly crossEntropyRows = crossEntropyRows;
  readonly crossEntropyRowsBackward = crossEntropyRowsBackward;
  readonly attention = attention;
  readonly attentionBackward = attentionBackward;
  readonly sumsOfSquares = sumsOfSquares;
  readonly adamw = adamw;
}
