import { type Context, contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { Span } from "../backend/backend.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../shape.ts";
import { matricesOf, rowsOf, transposed } from "./product.ts";

/** How a weight is stored: "in-out", as the textbook's x·W has it, or its transpose. */
export type WeightLayout = "in-out" | "out-in";

/**
 * Affine map of the last axis: y = x·W + b.
 *
 * @param x      (…, I)
 * @param weight (I, O); (O, I) in the layout "out-in", which a head that is tied to an embedding uses
 * @param bias   (O), or null
 * @returns      (…, O)
 * @throws ShapeError when the sizes do not fit
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  layout: WeightLayout = "in-out",
): Tensor {
  const { context, shape, inputs, forward, backward } = affineMap("linear", x, weight, bias, layout);
  const y = context.output(shape, inputs);
  forward(y.span);
  context.record("linear", y, backward);
  return y;
}

/** An affine map before it runs: for ops that do more with its result than keep it. */
export interface AffineMap {
  readonly context: Context;
  /** Of the result: (…, O). */
  readonly shape: Shape;
  readonly inputs: readonly Tensor[];
  /** y = x·W + b. */
  readonly forward: (y: Span) => void;
  /** Carries dy to the gradients of x, W and b. */
  readonly backward: (dy: Span) => void;
}

/** Parameters and errors as in `linear`. */
export function affineMap(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  layout: WeightLayout = "in-out",
): AffineMap {
  const inputs = bias === null ? [x, weight] : [x, weight, bias];
  const context = contextOf(op, x, ...inputs);
  const { backend } = context;
  const [length, outputs] = layout === "in-out" ? weight.shape : weight.shape.toReversed();
  const fits = weight.shape.length === 2 && x.shape.length > 0 && x.shape[x.shape.length - 1] === length;
  if (!fits || (bias !== null && bias.size !== outputs)) {
    const found = inputs.map(({ shape }) => formatShape(shape)).join(", ");
    throw new ShapeError(
      `${op}: needs x (…, I), a weight ${layout} of I and O, and a bias (O): got ${found}`,
    );
  }
  const rows = rowsOf(x.shape);
  const flat = { x: [rows, length], y: [rows, outputs] };
  /** Memory laid out as the weight is stored, read as (I, O). */
  const asInOut = (span: Span) => {
    const matrix = matricesOf(span, weight.shape);
    return layout === "in-out" ? matrix : transposed(matrix);
  };
  const forward = (y: Span) => {
    const start = bias?.span ?? null;
    const size = { batch: [], rows, columns: outputs, inner: length, accumulate: false, bias: start };
    backend.gemm(matricesOf(y, flat.y), matricesOf(x.span, flat.x), asInOut(weight.span), size);
  };
  const backward = (dySpan: Span) => {
    const dy = matricesOf(dySpan, flat.y);
    if (x.needsGradient) {
      // dx = dy·Wᵀ
      const { span, accumulate } = x.gradientSink();
      const size = { batch: [], rows, columns: length, inner: outputs, accumulate, bias: null };
      backend.gemm(matricesOf(span, flat.x), dy, transposed(asInOut(weight.span)), size);
    }
    if (weight.needsGradient) {
      // dW = xᵀ·dy
      const { span, accumulate } = weight.gradientSink();
      const size = { batch: [], rows: length, columns: outputs, inner: rows, accumulate, bias: null };
      backend.gemm(asInOut(span), transposed(matricesOf(x.span, flat.x)), dy, size);
    }
    if (bias?.needsGradient) {
      // db = Σ_rows dy
      backend.sumAxis(bias.gradientSink(), dySpan, { outer: 1, axis: rows, inner: outputs }, 1);
    }
  };
  return { context, shape: [...x.shape.slice(0, -1), outputs], inputs, forward, backward };
}
