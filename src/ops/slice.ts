import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { axisOf, formatShape, stridesOf } from "../shape.ts";

/**
 * Elements start … end−1 along one axis.
 *
 * @param axis −1 is the last
 * @returns    the shape of x, with end − start as the size of that axis
 * @throws ShapeError if x has no such axis, or the range is outside it
 * @example slice(x, 1, 2, 5) // x (2, 8) → (2, 3)
 */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  const context = contextOf("slice", x);
  const at = axisOf("slice", x.shape, axis);
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || end > x.shape[at]) {
    throw new ShapeError(
      `slice: axis ${axis} of ${formatShape(x.shape)} has 0 ≤ start ≤ end ≤ ${x.shape[at]}: got ${start} to ${end}`,
    );
  }
  const { backend } = context;
  const shape = x.shape.map((length, i) => (i === at ? end - start : length));
  const strides = stridesOf(x.shape);
  const offset = start * strides[at];
  const y = context.output(shape, [x]);
  const whole = stridesOf(shape);
  backend.copy(
    { buffer: y.buffer, offset: 0, strides: whole },
    { buffer: x.buffer, offset, strides },
    shape,
    false,
  );
  context.recordOp("slice", y, (dy) => {
    const buffer = x.zeroedGradient();
    backend.copy({ buffer, offset, strides }, { buffer: dy, offset: 0, strides: whole }, shape, true);
  });
  return y;
}
