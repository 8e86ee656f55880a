/** What the norms share: one kernel does all of them, and one the sum before them. */
import { contextOf } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { Buffer } from "../../backend/backend.ts";
import { ShapeError } from "../../errors.ts";
import { formatShape, sameShape } from "../../shape.ts";
import { rowsOf } from "./product.ts";

export interface Normalization {
  /** What errors and the tape call it. */
  readonly op: string;
  /** (C), or null for 1. */
  readonly weight: Tensor | null;
  /** (C), or null for 0. */
  readonly bias: Tensor | null;
  /** Whether the mean is taken away. */
  readonly centered: boolean;
  readonly epsilon: number;
}

/** A sum, and the norm of it. */
export interface SumAndNorm {
  readonly sum: Tensor;
  readonly normed: Tensor;
}

/** The norm of x over its last axis. */
export function normalize(x: Tensor, norm: Normalization): Tensor {
  const columns = x.shape[x.shape.length - 1];
  const { backend } = x.context;
  const { y, mean, inverse, rows } = prepare(x, norm);
  const [weight, bias] = [norm.weight?.buffer ?? null, norm.bias?.buffer ?? null];
  backend.normalizeRows(y.buffer, mean, inverse, x.buffer, weight, bias, rows, columns, norm.epsilon);
  record(x, norm, y, mean, inverse);
  return y;
}

/**
 * a + b and its norm in one: the numbers and gradients of `add` and then the norm, to the bit. The sum is not read
 * again for the norm, nor in backward, where the norm's gradient is added to what the sum has got from elsewhere.
 *
 * @throws ShapeError when a and b are of two shapes
 */
export function addAndNormalize(a: Tensor, b: Tensor, norm: Normalization): SumAndNorm {
  const context = contextOf(norm.op, a, b);
  if (!sameShape(a.shape, b.shape)) {
    throw new ShapeError(
      `${norm.op}: adds two tensors of one shape: got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  const columns = a.shape[a.shape.length - 1];
  const { backend } = context;
  const sum = context.output(a.shape, [a, b]);
  const { y, mean, inverse, rows } = prepare(sum, norm);
  const [weight, bias] = [norm.weight?.buffer ?? null, norm.bias?.buffer ?? null];
  // biome-ignore format: as the contract has them.
  backend.addAndNormalizeRows(
    sum.buffer, y.buffer, mean, inverse, a.buffer, b.buffer, weight, bias, rows, columns, norm.epsilon,
  );
  // Two entries on the tape: the sum has its gradient when all who read it have brought theirs, not the norm alone.
  context.recordOp("add", sum, () => {
    if (a.needsGradient) a.shareGradient(sum);
    if (b.needsGradient) b.shareGradient(sum);
  });
  record(sum, norm, y, mean, inverse);
  return { sum, normed: y };
}

/** The output, and memory for what backward needs to know of each row. */
function prepare(x: Tensor, { op, weight, bias, centered }: Normalization) {
  const context = contextOf(op, x, weight ?? x, bias ?? x);
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
  return { y, mean: centered ? backend.alloc(rows) : null, inverse: backend.alloc(rows), rows };
}

function record(
  x: Tensor,
  { op, weight, bias }: Normalization,
  y: Tensor,
  mean: Buffer | null,
  inverse: Buffer,
): void {
  const { backend } = x.context;
  const columns = x.shape[x.shape.length - 1];
  const backward = (dy: Buffer) => {
    backend.normalizeRowsBackward(
      x.needsGradient ? x.gradientTarget() : null,
      weight?.needsGradient ? weight.gradientTarget() : null,
      bias?.needsGradient ? bias.gradientTarget() : null,
      dy,
      x.buffer,
      weight?.buffer ?? null,
      mean,
      inverse,
      rowsOf(x.shape),
      columns,
    );
  };
  x.context.recordOp(op, y, backward, mean === null ? [inverse] : [mean, inverse]);
}
