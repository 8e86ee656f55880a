import { contextOf } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { Backend, Buffer, WriteTarget } from "../../backend/backend.ts";
import { type LinearSize, linearSize, type WeightLayout, weightMatrix } from "../internal/linear-size.ts";
import { matrixOf, multiplyMatrices, transposed } from "../internal/product.ts";
import { checkTargets, meanOfCounted } from "../internal/targets.ts";

export interface LinearCrossEntropyOptions {
  readonly layout?: WeightLayout;
  /** The limit of `softCap`; 0 means none. */
  readonly cap?: number;
  /** The number of rows whose logits are in memory at a time. */
  readonly chunkRows: number;
}

/**
 * crossEntropy(softCap(x·W), targets) as one op that never holds all logits: for some rows at a time, it computes the
 * logits, the losses and all gradients, and then forgets the logits.
 *
 * Chunks of any size give the bits of the separate ops: rows do not depend on each other, and the gradient of W adds
 * them in the same order. These gradients are for dy = 1, where backward starts; another dy multiplies them at the end.
 *
 * Source: Hsu et al. 2024 (Liger Kernel).
 *
 * @param x       (…, C)
 * @param weight  (C, V), or (V, C) with layout "out-in"
 * @param targets one id in 0 … V−1, or `IGNORED`, for each row of x
 * @returns       ()
 * @throws ShapeError if the sizes do not fit
 * @throws TokenError if a target is outside the vocabulary
 * @example linearCrossEntropy(x, weight, [3, IGNORED, 1], { chunkRows: 2 }) // x (1, 3, 4), weight (4, 5) → ()
 */
export function linearCrossEntropy(
  x: Tensor,
  weight: Tensor,
  targets: ArrayLike<number>,
  { layout = "in-out", cap = 0, chunkRows }: LinearCrossEntropyOptions,
): Tensor {
  const context = contextOf("linearCrossEntropy", x, weight);
  const { backend } = context;
  const size = linearSize("linearCrossEntropy", x, weight, null, layout);
  const { ids, rows, share } = checkTargets("linearCrossEntropy", size.shape, targets);
  const y = context.output([], [x, weight]);
  const gradientOf = (operand: Tensor): Buffer | null => {
    return y.needsGradient && operand.needsGradient ? backend.alloc(operand.size) : null;
  };
  const [dx, dWeight] = [gradientOf(x), gradientOf(weight)];
  // Without rows, there is no chunk that would fill it.
  if (rows === 0 && dWeight !== null) backend.fill(dWeight, 0);
  context.withScratch(rows, (losses) => {
    for (let start = 0; start < rows; start += chunkRows) {
      const chunk = { start, targets: ids.subarray(start, start + chunkRows), cap, share };
      computeChunk({ losses, dx, dWeight }, x, weight, size, chunk);
    }
    meanOfCounted(y, losses, { ids, share });
  });
  const backward = (dy: Buffer) => {
    if (dx !== null) backend.binary("multiply", x.gradientTarget(), dx, dy);
    if (dWeight !== null) backend.binary("multiply", weight.gradientTarget(), dWeight, dy);
  };
  const kept = [dx, dWeight].filter((gradient) => gradient !== null);
  context.recordOp("linearCrossEntropy", y, backward, kept);
  return y;
}

interface Results {
  readonly losses: Buffer;
  /** null if it is not needed, like dWeight. */
  readonly dx: Buffer | null;
  readonly dWeight: Buffer | null;
}

interface Chunk {
  /** Its first row. */
  readonly start: number;
  /** One for each of its rows. */
  readonly targets: Int32Array;
  readonly cap: number;
  readonly share: number;
}

/** Writes the losses of the rows of a chunk and their part of dx, and adds their part of dWeight. */
function computeChunk(
  { losses, dx, dWeight }: Results,
  { buffer: x, context: { backend } }: Tensor,
  weight: Tensor,
  size: LinearSize,
  { start, targets, cap, share }: Chunk,
): void {
  const { inputs, outputs } = size;
  const rows = targets.length;
  const ofChunk = (buffer: Buffer) => ({ ...matrixOf(buffer, inputs), offset: start * inputs });
  const w = weightMatrix(weight.buffer, size);
  withBuffers(backend, (alloc) => {
    const logits = alloc(rows * outputs);
    const product = { rows, inner: inputs, columns: outputs };
    multiplyMatrices(backend, matrixOf(logits, outputs), ofChunk(x), w, product, { accumulate: false });
    const uncap = cap === 0 ? null : capLogits(backend, logits, cap, alloc);
    const statistics = { max: alloc(rows), sum: alloc(rows) };
    const own = alloc(rows);
    backend.crossEntropyRows(own, statistics, logits, targets, rows, outputs);
    const strides = [1];
    backend.copy(
      { buffer: losses, offset: start, strides },
      { buffer: own, offset: 0, strides },
      [rows],
      false,
    );
    if (dx === null && dWeight === null) return;

    backend.fill(own, share);
    // In place: the logits are not needed again.
    const dCapped = logits;
    backend.crossEntropyRowsBackward(written(dCapped), own, logits, statistics, targets, rows, outputs);
    const dLogits = matrixOf(uncap === null ? dCapped : uncap(dCapped), outputs);
    if (dx !== null) {
      const product = { rows, inner: outputs, columns: inputs };
      multiplyMatrices(backend, ofChunk(dx), dLogits, transposed(w), product, { accumulate: false });
    }
    if (dWeight !== null) {
      const product = { rows: inputs, inner: rows, columns: outputs };
      const to = weightMatrix(dWeight, size);
      multiplyMatrices(backend, to, transposed(ofChunk(x)), dLogits, product, { accumulate: start > 0 });
    }
  });
}

/**
 * Replaces logits by cap·tanh(logits / cap).
 *
 * @returns computes the gradient of the logits, given that of the capped ones, which it overwrites
 */
function capLogits(backend: Backend, logits: Buffer, cap: number, alloc: Alloc): (dCapped: Buffer) => Buffer {
  const [tanh, scratch] = [alloc(logits.length), alloc(logits.length)];
  backend.scale(written(scratch), logits, 1 / cap);
  backend.unary("tanh", tanh, scratch);
  backend.scale(written(logits), tanh, cap);
  return (dCapped) => {
    backend.scale(written(scratch), dCapped, cap);
    // The derivative of tanh depends on y only, so x may be anything.
    backend.unaryBackward("tanh", written(dCapped), scratch, tanh, tanh);
    backend.scale(written(scratch), dCapped, 1 / cap);
    return scratch;
  };
}

function written(buffer: Buffer): WriteTarget {
  return { buffer, accumulate: false };
}

type Alloc = (length: number) => Buffer;

/** Runs `body` with a function that allocates buffers until it ends. */
function withBuffers(backend: Backend, body: (alloc: Alloc) => void): void {
  const buffers: Buffer[] = [];
  try {
    body((length) => {
      buffers.push(backend.alloc(length));
      return buffers[buffers.length - 1];
    });
  } finally {
    for (const buffer of buffers) backend.free(buffer);
  }
}
