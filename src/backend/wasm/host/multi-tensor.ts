/**
 * The host side of kernels that process many buffers in one call. In a small model, a call per parameter would take
 * longer than the arithmetic. Buffers are rows of a table, which is filled as often as needed.
 */
import { BackendError } from "../../../errors.ts";
import type { AdamWStep, AdamWTarget, Buffer } from "../../backend.ts";
import { bytesPerNumber, type Heap } from "./heap.ts";
import type { KernelExports } from "./signatures.ts";

/** Words of a row: see kernels/optimizer.ts and kernels/reduce.ts. */
const adamwWords = 6;
const squaresWords = 3;
/** The number of squares that kernels/reduce.ts sums per chunk. */
const chunkLength = 4096;

/** See `Kernels.adamw` of ../backend.ts. */
export function adamw(
  heap: Heap,
  kernels: Pick<KernelExports, "adamw">,
  targets: readonly AdamWTarget[],
  step: AdamWStep,
): void {
  const { parameterWords: words, parameters } = heap;
  const firstFloat = parameters.pointer / bytesPerNumber;
  const most = Math.floor(words.length / adamwWords);
  for (let first = 0; first < targets.length; first += most) {
    const last = Math.min(first + most, targets.length);
    let numbers = 0;
    for (let i = first, at = 0; i < last; i++, at += adamwWords) {
      const { parameter, gradient, moment1, moment2, weightDecay } = targets[i];
      const { length } = parameter;
      numbers += length;
      words[at] = heap.pointer(parameter);
      words[at + 1] = pointerOf(heap, gradient, length);
      words[at + 2] = pointerOf(heap, moment1, length);
      words[at + 3] = pointerOf(heap, moment2, length);
      words[at + 4] = numbers;
      heap.floats[firstFloat + at + 5] = 1 - step.learningRate * weightDecay;
    }
    const { beta1, beta2, epsilon, gradientScale } = step;
    // biome-ignore format: as in the kernel's signature.
    kernels.adamw(
      parameters.pointer, gradientScale, beta1, 1 - beta1, beta2, 1 - beta2,
      step.learningRate / step.correction1, Math.sqrt(step.correction2), epsilon, 0, numbers,
    );
  }
}

/** See `Kernels.sumsOfSquares` of ../backend.ts. */
export function sumsOfSquares(
  heap: Heap,
  kernels: Pick<KernelExports, "sumsOfSquaresInChunks" | "sumsOfChunks">,
  y: Buffer,
  xs: readonly Buffer[],
): void {
  const to = pointerOf(heap, y, xs.length);
  const { parameterWords: words, parameters } = heap;
  const most = Math.floor(words.length / squaresWords);
  for (let first = 0; first < xs.length; first += most) {
    const last = Math.min(first + most, xs.length);
    let chunks = 0;
    for (let i = first, at = 0; i < last; i++, at += squaresWords) {
      const { length } = xs[i];
      chunks += Math.ceil(length / chunkLength);
      words[at] = heap.pointer(xs[i]);
      words[at + 1] = length;
      words[at + 2] = chunks;
    }
    // Each chunk's sum is in double precision, the size of two numbers.
    const sums = heap.alloc(2 * chunks);
    kernels.sumsOfSquaresInChunks(sums.pointer, parameters.pointer, 0, chunks);
    kernels.sumsOfChunks(to + bytesPerNumber * first, sums.pointer, parameters.pointer, last - first);
    heap.free(sums);
  }
}

function pointerOf(heap: Heap, buffer: Buffer, length: number): number {
  if (buffer.length < length) {
    throw new BackendError(`wasm: a kernel needs a buffer of ${length} numbers: got ${buffer.length}`);
  }
  return heap.pointer(buffer);
}
