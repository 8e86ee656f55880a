import type { Tensor } from "../autograd/tensor.ts";
import type { Buffer } from "../backend/backend.ts";
import { type LinearSize, linearSize, type WeightLayout, weightMatrix } from "./internal/linear-size.ts";
import { matrixOf, multiplyMatrices, transposed } from "./internal/product.ts";

export type { WeightLayout } from "./internal/linear-size.ts";

/**
 * Affine map of the last axis: y = x·W + b.
 *
 * @param x      (…, I)
 * @param weight (I, O), or (O, I) with layout "out-in", for a head that is tied to an embedding
 * @param bias   (O), or null
 * @returns      (…, O)
 * @throws ShapeError if the sizes do not fit
 * @example linear(x, weight, bias) // x (2, 3, 4), weight (4, 5), bias (5) → (2, 3, 5)
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  layout: WeightLayout = "in-out",
): Tensor {
  const size = linearSize("linear", x, weight, bias, layout);
  const { context } = x;
  const y = context.output(size.shape, bias === null ? [x, weight] : [x, weight, bias]);
  linearForward(y.buffer, x, weight, bias, size);
  context.recordOp("linear", y, (dy) => linearBackward(dy, x, weight, bias, size));
  return y;
}

/** y = x·W + b */
export function linearForward(
  y: Buffer,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  size: LinearSize,
): void {
  const { rows, inputs, outputs } = size;
  const w = weightMatrix(weight.buffer, size);
  const product = { rows, inner: inputs, columns: outputs };
  const start = { accumulate: false, bias: bias?.buffer ?? null };
  multiplyMatrices(x.context.backend, matrixOf(y, outputs), matrixOf(x.buffer, inputs), w, product, start);
}

/** dx = dy·Wᵀ, dW = xᵀ·dy, db = Σ_rows dy */
export function linearBackward(
  dyBuffer: Buffer,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  size: LinearSize,
): void {
  const { backend } = x.context;
  const { rows, inputs, outputs } = size;
  const dy = matrixOf(dyBuffer, outputs);
  if (x.needsGradient) {
    const dx = x.gradientTarget();
    const w = weightMatrix(weight.buffer, size);
    const product = { rows, inner: outputs, columns: inputs };
    multiplyMatrices(backend, matrixOf(dx.buffer, inputs), dy, transposed(w), product, dx);
  }
  if (weight.needsGradient) {
    const dw = weight.gradientTarget();
    const product = { rows: inputs, inner: rows, columns: outputs };
    const xTransposed = transposed(matrixOf(x.buffer, inputs));
    multiplyMatrices(backend, weightMatrix(dw.buffer, size), xTransposed, dy, product, dw);
  }
  if (bias?.needsGradient) {
    backend.sumAxis(bias.gradientTarget(), dyBuffer, { outer: 1, axis: rows, inner: outputs }, 1);
  }
}
