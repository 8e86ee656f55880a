import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../shape.ts";

/**
 * The same numbers in the same order under another shape. Free: the two share memory and gradient.
 *
 * @param shape one size may be −1: whatever is left
 * @throws ShapeError when the sizes do not multiply to the size of x
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = sizeOf(shape.filter((length) => length !== -1));
  const resolved = shape.map((length) => (length === -1 ? x.size / Math.max(known, 1) : length));
  const open = shape.length - shape.filter((length) => length !== -1).length;
  if (open > 1 || sizeOf(resolved) !== x.size || !resolved.every(Number.isInteger)) {
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} holds ${x.size} numbers, which do not fill ${formatShape(shape)}`,
    );
  }
  checkShape("reshape", resolved);
  return x.view(resolved);
}
