/**
 * Broadcasting, in one place: ops with two operands stretch both to one shape here and then work element by
 * element. The gradient of a stretched axis is the sum along it.
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
 * x repeated along its axes of size 1, and along new leading axes.
 *
 * @param x     any shape
 * @param shape the shape to reach
 * @returns     shape; x itself where nothing is to be stretched
 * @throws ShapeError when x does not broadcast to the shape
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes("broadcastTo", x.shape, shape), shape)) {
    throw new ShapeError(`broadcastTo: ${formatShape(x.shape)} cannot be stretched to ${formatShape(shape)}`);
  }
  const { context } = x;
  const { backend } = context;
  const y = context.output(shape, [x]);
  const from = { buffer: x.buffer, offset: 0, strides: broadcastStrides(x.shape, shape) };
  const to = { buffer: y.buffer, offset: 0, strides: stridesOf(shape) };
  backend.copy(to, from, shape, false);
  context.recordOp("broadcastTo", y, (dy) => sumStretchedAxes(x, dy, shape));
  return y;
}

/** Both operands stretched to their common shape, and the context they live on. */
export function broadcastTogether(
  op: string,
  a: Tensor,
  b: Tensor,
): { context: Context; shape: Shape; a: Tensor; b: Tensor } {
  const context = contextOf(op, a, b);
  const shape = broadcastShapes(op, a.shape, b.shape);
  return { context, shape, a: broadcastTo(a, shape), b: broadcastTo(b, shape) };
}

/** Adds up dy, of the given shape, along the axes that x was stretched by, into x's gradient. */
function sumStretchedAxes(x: Tensor, dy: Buffer, shape: Shape): void {
  const { backend } = x.context;
  const runs = stretchedRuns(x.shape, shape);
  const last = runs.pop();
  if (last === undefined) {
    // Only new axes of size 1: the numbers are the same.
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
 * Neighboring stretched axes are summed at once, the outermost run first. Each run is (outer, axis, inner) in
 * what the runs before it have left, where outer holds kept axes only.
 */
function stretchedRuns(from: Shape, to: Shape): { outer: number; axis: number; inner: number }[] {
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
