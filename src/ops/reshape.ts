import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../shape.ts";
import { checkTypes } from "../util/check-types.ts";

/**
 * The same numbers in the same order with another shape. No copy: the result shares memory and gradient with x.
 *
 * @param shape one size may be −1, and is computed from the others
 * @throws ShapeError if the sizes do not multiply to the size of x
 * @example reshape(x, [3, -1]) // x (2, 6) → (3, 4)
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  contextOf("reshape", x);
  checkTypes("reshape", { shape }, { shape: "array" });
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
