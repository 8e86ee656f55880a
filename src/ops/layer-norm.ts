import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { rowsOf } from "./product.ts";

/**
 * Layer normalisation over the last axis: mean 0 and variance 1 for each position, then scaled and shifted.
 *
 *   y = (x − mean) / √(variance + ε) ⊙ weight + bias
 *
 * @param x       (…, C)
 * @param weight  (C), or null for 1
 * @param bias    (C), or null for 0
 * @param epsilon keeps a constant row finite
 * @returns       the shape of x
 * @throws ShapeError when weight or bias are not (C)
 * Source: Ba, Kiros & Hinton 2016.
 */
export function layerNorm(x: Tensor, weight: Tensor | null, bias: Tensor | null, epsilon = 1e-5): Tensor {
  const context = contextOf("layerNorm", x, weight ?? x, bias ?? x);
  const columns = x.shape[x.shape.length - 1];
  const fits = (tensor: Tensor | null) => tensor === null || tensor.size === columns;
  if (x.shape.length === 0 || !fits(weight) || !fits(bias)) {
    const given = [x, weight, bias].filter((tensor) => tensor !== null);
    const found = given.map(({ shape }) => formatShape(shape)).join(", ");
    throw new ShapeError(`layerNorm: needs x (…, C), weight (C) and bias (C): got ${found}`);
  }
  const { backend } = context;
  const rows = rowsOf(x.shape);
  const y = context.output(x.shape, [x, weight ?? x, bias ?? x]);
  const mean = backend.alloc(rows);
  const inverse = backend.alloc(rows);
  const weights = weight?.span ?? null;
  backend.normalizeRows(y.span, mean, inverse, x.span, weights, bias?.span ?? null, rows, columns, epsilon);
  const backward = (dy: typeof y.span) => {
    backend.normalizeRowsBackward(
      x.needsGradient ? x.gradientSink() : null,
      weight?.needsGradient ? weight.gradientSink() : null,
      bias?.needsGradient ? bias.gradientSink() : null,
      dy,
      x.span,
      weights,
      mean,
      inverse,
      rows,
      columns,
    );
  };
  context.record("layerNorm", y, backward, [mean, inverse]);
  return y;
}
