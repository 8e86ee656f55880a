import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { Buffer, Matrices } from "../backend/backend.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../shape.ts";
import { matrixOf, multiplyMatrices, rowsOf, transposed } from "./internal/product.ts";

/** How a weight is stored: "in-out" (I, O), as in the textbook's x·W, or its transpose "out-in" (O, I). */
export type WeightLayout = "in-out" | "out-in";

/**
 * Affine map of the last axis: y = x·W + b.
 *
 * @param x      (…, I)
 * @param weight (I, O), or (O, I) with layout "out-in", which a head tied to an embedding uses
 * @param bias   (O), or null
 * @returns      (…, O)
 * @throws ShapeError when the sizes do not fit
 * @example linear(x, weight, bias) // x (2, 3, 4), weight (4, 5), bias (5) → (2, 3, 5)
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  layout: WeightLayout = "in-out",
): Tensor {
  const shape = linearShape("linear", x, weight, bias, layout);
  const { context } = x;
  const y = context.output(shape, bias === null ? [x, weight] : [x, weight, bias]);
  linearForward(y.buffer, x, weight, bias, layout);
  context.recordOp("linear", y, (dy) => linearBackward(dy, x, weight, bias, layout));
  return y;
}

/** y = x·W + b. */
export function linearForward(
  y: Buffer,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  layout: WeightLayout,
): void {
  const [rows, inputs, outputs] = sizesOf(x, weight, layout);
  const w = asInOut(weight.buffer, inputs, outputs, layout);
  const size = { rows, inner: inputs, columns: outputs };
  multiplyMatrices(x.context.backend, matrixOf(y, outputs), matrixOf(x.buffer, inputs), w, size, {
    accumulate: false,
    bias: bias?.buffer ?? null,
  });
}

/** dx = dy·Wᵀ, dW = xᵀ·dy, db = Σ_rows dy. */
export function linearBackward(
  dyBuffer: Buffer,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  layout: WeightLayout,
): void {
  const { backend } = x.context;
  const [rows, inputs, outputs] = sizesOf(x, weight, layout);
  const dy = matrixOf(dyBuffer, outputs);
  if (x.needsGradient) {
    const dx = x.gradientTarget();
    const w = asInOut(weight.buffer, inputs, outputs, layout);
    const size = { rows, inner: outputs, columns: inputs };
    multiplyMatrices(backend, matrixOf(dx.buffer, inputs), dy, transposed(w), size, dx);
  }
  if (weight.needsGradient) {
    const dWeight = weight.gradientTarget();
    const dw = asInOut(dWeight.buffer, inputs, outputs, layout);
    const size = { rows: inputs, inner: rows, columns: outputs };
    multiplyMatrices(backend, dw, transposed(matrixOf(x.buffer, inputs)), dy, size, dWeight);
  }
  if (bias?.needsGradient) {
    backend.sumAxis(bias.gradientTarget(), dyBuffer, { outer: 1, axis: rows, inner: outputs }, 1);
  }
}

/** The shape of y, once all sizes are checked. Errors name `op`. */
export function linearShape(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  layout: WeightLayout,
): Shape {
  contextOf(op, x, weight, bias ?? x);
  const [, inputs, outputs] = sizesOf(x, weight, layout);
  const fits = weight.shape.length === 2 && x.shape.length > 0 && x.shape[x.shape.length - 1] === inputs;
  if (!fits || (bias !== null && bias.size !== outputs)) {
    const found = [x, weight, bias].flatMap((tensor) => (tensor === null ? [] : formatShape(tensor.shape)));
    throw new ShapeError(
      `${op}: needs x (…, I), a weight ${layout} of I and O, and a bias (O): got ${found.join(", ")}`,
    );
  }
  const shape = x.shape.slice();
  shape[shape.length - 1] = outputs;
  return shape;
}

/** Rows of x, I and O. */
function sizesOf(x: Tensor, weight: Tensor, layout: WeightLayout): [number, number, number] {
  const [first, second] = weight.shape;
  return layout === "in-out" ? [rowsOf(x.shape), first, second] : [rowsOf(x.shape), second, first];
}

/** Memory in the weight's layout, read as (I, O). */
function asInOut(buffer: Buffer, inputs: number, outputs: number, layout: WeightLayout): Matrices {
  return layout === "in-out" ? matrixOf(buffer, outputs) : transposed(matrixOf(buffer, inputs));
}
