/** The common part of `layerNorm` and `rmsNorm`: one kernel forward, one backward. */

import { contextOf } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { ShapeError } from "../../errors.ts";
import { formatShape } from "../../shape.ts";
import { checkTypes } from "../../util/check-types.ts";
import { rowsOf } from "./product.ts";

export interface Normalization {
  /** The op's name in errors and on the tape. */
  readonly op: string;
  /** (C), or null for 1. */
  readonly weight: Tensor | null;
  /** (C), or null for 0. */
  readonly bias: Tensor | null;
  /** Whether to subtract the mean first. */
  readonly centered: boolean;
  readonly epsilon: number;
}

/** Normalizes x over its last axis. */
export function normalize(x: Tensor, { op, weight, bias, centered, epsilon }: Normalization): Tensor {
  const context = contextOf(op, x, weight === null ? x : weight, bias === null ? x : bias);
  checkTypes(op, { epsilon }, { epsilon: "number" });
  const columns = x.shape[x.shape.length - 1];
  const fits = (tensor: Tensor | null) => tensor === null || tensor.size === columns;
  if (x.shape.length === 0 || !fits(weight) || !fits(bias)) {
    const given = [x, weight, bias].filter((tensor) => tensor !== null);
    const found = given.map(({ shape }) => formatShape(shape)).join(", ");
    const needed = centered ? "x (…, C), weight (C) and bias (C)" : "x (…, C) and weight (C)";
    throw new ShapeError(`${op}: needs ${needed}: got ${found}`);
  }
  const { backend } = context;
  const rows = rowsOf(x.shape);
  const y = context.output(x.shape, [x, weight ?? x, bias ?? x]);
  const mean = centered ? backend.alloc(rows) : null;
  const rstd = backend.alloc(rows);
  const [scale, shift] = [weight?.buffer ?? null, bias?.buffer ?? null];
  backend.normalizeRows(y.buffer, mean, rstd, x.buffer, scale, shift, rows, columns, epsilon);
  context.recordOp(
    op,
    y,
    (dy) =>
      backend.normalizeRowsBackward(
        x.needsGradient ? x.gradientTarget() : null,
        weight?.needsGradient ? weight.gradientTarget() : null,
        bias?.needsGradient ? bias.gradientTarget() : null,
        dy,
        x.buffer,
        weight?.buffer ?? null,
        mean,
        rstd,
        rows,
        columns,
      ),
    mean === null ? [rstd] : [mean, rstd],
  );
  return y;
}
