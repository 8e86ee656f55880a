import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { rowsOf } from "./product.ts";

/**
 * Root-mean-square normalisation over the last axis: layer normalisation without the mean. Only a row's length
 * changes, not its direction.
 *
 *   y = x / √(mean(x²) + ε) ⊙ weight
 *
 * @param x       (…, C)
 * @param weight  (C), or null for 1
 * @param epsilon keeps a row of zeros finite
 * @returns       the shape of x
 * @throws ShapeError when weight is not (C)
 * Source: Zhang & Sennrich 2019.
 */
export function rmsNorm(x: Tensor, weight: Tensor | null, epsilon = 1e-5): Tensor {
  const context = contextOf("rmsNorm", x, weight ?? x);
  const columns = x.shape[x.shape.length - 1];
  if (x.shape.length === 0 || (weight !== null && weight.size !== columns)) {
    const given = [x, weight].filter((tensor) => tensor !== null);
    const found = given.map(({ shape }) => formatShape(shape)).join(", ");
    throw new ShapeError(`rmsNorm: needs x (…, C) and weight (C): got ${found}`);
  }
  const { backend } = context;
  const rows = rowsOf(x.shape);
  const y = context.output(x.shape, [x, weight ?? x]);
  const inverse = backend.alloc(rows);
  const weights = weight?.span ?? null;
  backend.normalizeRows(y.span, null, inverse, x.span, weights, null, rows, columns, epsilon);
  const backward = (dy: typeof y.span) => {
    const dx = x.needsGradient ? x.gradientSink() : null;
    const dWeight = weight?.needsGradient ? weight.gradientSink() : null;
    backend.normalizeRowsBackward(dx, dWeight, null, dy, x.span, weights, null, inverse, rows, columns);
  };
  context.record("rmsNorm", y, backward, [inverse]);
  return y;
}
