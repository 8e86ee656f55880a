/**
 * Broadcasting for ops with two operands: both are expanded to a common shape here, and the ops then work elementwise.
 * The gradient of an expanded axis is the sum along it.
 */
import { type Context, contextOf } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { Buffer } from "../../backend/backend.ts";
import { ShapeError } from "../../errors.ts";
import {
  broadcastShapes,
  broadcastStrides,
  formatShape,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from "../../shape.ts";

/**
 * Repeats x along its axes of size 1 and along new leading axes.
 *
 * @param x     any shape
 * @param shape the target shape
 * @returns     a tensor of the target shape; x itself if it has that shape already
 * @throws ShapeError if x does not broadcast to the shape
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes("broadcastTo", x.shape, shape), shape)) {
    throw new ShapeError(`broadcastTo: ${formatShape(x.shape)} cannot be broadcast to ${formatShape(shape)}`);
  }
  const { context } = x;
  const { backend } = context;
  const y = context.output(shape, [x]);
  const from = { buffer: x.buffer, offset: 0, strides: broadcastStrides(x.shape, shape) };
  const to = { buffer: y.buffer, offset: 0, strides: stridesOf(shape) };
  backend.copy(to, from, shape, false);
  context.recordOp("broadcastTo", y, (dy) => sumExpandedAxes(x, dy, shape));
  return y;
}

/** Both operands expanded to their common shape, and their context. */
export function broadcastTogether(
  op: string,
  a: Tensor,
  b: Tensor,
): { context: Context; shape: Shape; a: Tensor; b: Tensor } {
  const context = contextOf(op, a, b);
  const shape = broadcastShapes(op, a.shape, b.shape);
  return { context, shape, a: broadcastTo(a, shape), b: broadcastTo(b, shape) };
}

/** Adds dy, of the given shape, to x's gradient, summed over the axes along which x was expanded. */
function sumExpandedAxes(x: Tensor, dy: Buffer, shape: Shape): void {
  const { backend } = x.context;
  const runs = expandedRuns(x.shape, shape);
  const last = runs.pop();
  if (last === undefined) {
    // Only new axes of size 1: there is nothing to sum.
    backend.scale(x.gradientTarget(), dy, 1);
    return;
  }
  let partial = dy;
  for (const run of runs) {
    const sum = backend.alloc(run.outer * run.inner);
    backend.sumAxis({ buffer: sum, accumulate: false }, partial, run, 1);
    if (partial !== dy) backend.free(partial);
    partial = sum;
  }
  backend.sumAxis(x.gradientTarget(), partial, last, 1);
  if (partial !== dy) backend.free(partial);
}

/**
 * Groups neighboring expanded axes, outermost first, so that each group takes one sum. The sizes of each group are
 * those after the groups before it have been summed, so `outer` covers kept axes only.
 */
function expandedRuns(from: Shape, to: Shape): { outer: number; axis: number; inner: number }[] {
  const added = to.length - from.length;
  const runs: { outer: number; axis: number; inner: number }[] = [];
  let outer = 1;
  for (let axis = 0; axis < to.length; ) {
    if (axis >= added && from[axis - added] === to[axis]) {
      outer *= to[axis++];
      continue;
    }
    let length = 1;
    while (axis < to.length && !(axis >= added && from[axis - added] === to[axis])) length *= to[axis++];
    if (length !== 1) runs.push({ outer, axis: length, inner: sizeOf(to.slice(axis)) });
  }
  return runs;
}
