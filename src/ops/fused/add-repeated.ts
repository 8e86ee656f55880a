import { contextOf } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { ShapeError } from "../../errors.ts";
import { formatShape, sameShape } from "../../shape.ts";

/**
 * y = x + row, with `row` repeated along new leading axes: the numbers and gradients of `add`, without a repeated copy.
 *
 * @param x   (B, …)
 * @param row (…)
 * @returns   the shape of x
 * @throws ShapeError when x does not consist of repetitions of the row's shape
 */
export function addRepeated(x: Tensor, row: Tensor): Tensor {
  const context = contextOf("addRepeated", x, row);
  const added = x.shape.length - row.shape.length;
  if (added < 1 || !sameShape(x.shape.slice(added), row.shape)) {
    throw new ShapeError(
      `addRepeated: needs x (B, …) and a row (…): got ${formatShape(x.shape)} and ${formatShape(row.shape)}`,
    );
  }
  const { backend } = context;
  const y = context.output(x.shape, [x, row]);
  backend.binary("add", y.target, x.buffer, row.buffer);
  context.recordOp("addRepeated", y, (dy) => {
    if (x.needsGradient) x.shareGradient(y);
    if (!row.needsGradient) return;
    const repeats = row.size === 0 ? 0 : x.size / row.size;
    backend.sumAxis(row.gradientTarget(), dy, { outer: 1, axis: repeats, inner: row.size }, 1);
  });
  return y;
}
