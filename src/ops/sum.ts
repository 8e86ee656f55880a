import type { Tensor } from "../autograd/tensor.ts";
import { sizeOf } from "../shape.ts";
import { reductionOf } from "./internal/reduction.ts";

/**
 * Sum over one axis, or over all: y = Σ x.
 *
 * @param axis −1 is the last; left out, all axes are summed
 * @returns    the shape of x without that axis; () for all
 * @throws ShapeError when x has no such axis
 */
export function sum(x: Tensor, axis?: number): Tensor {
  return scaledSum("sum", x, axis, () => 1);
}

/**
 * Mean over one axis, or over all: y = Σ x / n. Parameters and errors as in `sum`.
 */
export function mean(x: Tensor, axis?: number): Tensor {
  return scaledSum("mean", x, axis, (count) => 1 / count);
}

function scaledSum(
  op: string,
  x: Tensor,
  axis: number | undefined,
  factorOf: (count: number) => number,
): Tensor {
  const { context } = x;
  const { backend } = context;
  const { size, shape } = reductionOf(op, x.shape, axis);
  const factor = factorOf(size.axis);
  const y = context.output(shape, [x]);
  backend.sumAxis(y.target, x.buffer, size, factor);
  context.recordOp(op, y, (dy) => {
    // Every element of the axis receives factor·dy: a stride of 0 along it.
    const block = [size.outer, size.axis, size.inner];
    context.withScratch(sizeOf(shape), (scaled) => {
      backend.scale({ buffer: scaled, accumulate: false }, dy, factor);
      const { buffer, accumulate } = x.gradientTarget();
      backend.copy(
        { buffer, offset: 0, strides: [size.axis * size.inner, size.inner, 1] },
        { buffer: scaled, offset: 0, strides: [size.inner, 0, 1] },
        block,
        accumulate,
      );
    });
  });
  return y;
}
