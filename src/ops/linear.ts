import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape } from "../shape.ts";
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
  const context = contextOf("linear", x, weight, ...(bias === null ? [] : [bias]));
  const { backend } = context;
  const inner = x.shape[x.shape.length - 1];
  const [inputs, outputs] = layout === "in-out" ? weight.shape : weight.shape.toReversed();
  if (
    weight.shape.length !== 2 ||
    x.shape.length === 0 ||
    inner !== inputs ||
    (bias && bias.size !== outputs)
  ) {
    const found = [x, weight, ...(bias === null ? [] : [bias])]
      .map(({ shape }) => formatShape(shape))
      .join(", ");
    throw new ShapeError(
      `linear: needs x (…, I), a weight ${layout} of I and O, and a bias (O): got ${found}`,
    );
  }
  const rows = rowsOf(x.shape);
  const y = context.output(
    [...x.shape.slice(0, -1), outputs],
    bias === null ? [x, weight] : [x, weight, bias],
  );
  const flat = { x: [rows, inputs], y: [rows, outputs] };
  /** Memory laid out as the weight is stored, read as (I, O). */
  const asInOut = (span: typeof weight.span) => {
    const matrix = matricesOf(span, weight.shape);
    return layout === "in-out" ? matrix : transposed(matrix);
  };
  const size = {
    batch: [],
    rows,
    columns: outputs,
    inner: inputs,
    accumulate: false,
    bias: bias?.span ?? null,
  };
  backend.gemm(matricesOf(y.span, flat.y), matricesOf(x.span, flat.x), asInOut(weight.span), size);
  context.record("linear", y, (dySpan) => {
    const dy = matricesOf(dySpan, flat.y);
    if (x.needsGradient) {
      // dx = dy·Wᵀ
      const { span, accumulate } = x.gradientSink();
      const size = { batch: [], rows, columns: inputs, inner: outputs, accumulate, bias: null };
      backend.gemm(matricesOf(span, flat.x), dy, transposed(asInOut(weight.span)), size);
    }
    if (weight.needsGradient) {
      // dW = xᵀ·dy
      const { span, accumulate } = weight.gradientSink();
      const size = { batch: [], rows: inputs, columns: outputs, inner: rows, accumulate, bias: null };
      backend.gemm(asInOut(span), transposed(matricesOf(x.span, flat.x)), dy, size);
    }
    if (bias?.needsGradient) {
      // db = Σ_rows dy
      backend.sumAxis(bias.gradientSink(), dySpan, { outer: 1, axis: rows, inner: outputs }, 1);
    }
  });
  return y;
}
