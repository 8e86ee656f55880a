import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { broadcastTogether } from "./internal/broadcast.ts";

/**
 * Addition, broadcasting: y = a + b.
 *
 * @returns the common shape of a and b
 * @throws ShapeError when the shapes do not broadcast
 */
export function add(left: Tensor, right: Tensor): Tensor {
  if (isRepeated(right.shape, left.shape)) return addRepeated(left, right);
  const { context, shape, a, b } = broadcastTogether("add", left, right);
  const { backend } = context;
  const y = context.output(shape, [a, b]);
  backend.binary("add", y.target, a.buffer, b.buffer);
  context.recordOp("add", y, () => {
    if (a.needsGradient) a.shareGradient(y);
    if (b.needsGradient) b.shareGradient(y);
  });
  return y;
}

/** Whether `whole` is `part` over and over again, along new leading axes. */
function isRepeated(part: Shape, whole: Shape): boolean {
  const added = whole.length - part.length;
  return added > 0 && part.every((length, axis) => length === whole[added + axis]);
}

/** y = a + b where b repeats: nothing of the size of a is made but y. */
function addRepeated(a: Tensor, b: Tensor): Tensor {
  const context = contextOf("add", a, b);
  const { backend } = context;
  const y = context.output(a.shape, [a, b]);
  backend.binary("add", y.target, a.buffer, b.buffer);
  context.recordOp("add", y, (dy) => {
    if (a.needsGradient) a.shareGradient(y);
    if (!b.needsGradient) return;
    const repeats = sizeOf(a.shape.slice(0, a.shape.length - b.shape.length));
    backend.sumAxis(b.gradientTarget(), dy, { outer: 1, axis: repeats, inner: b.size }, 1);
  });
  return y;
}
