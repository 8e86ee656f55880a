import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { checkTypes } from "../util/check-types.ts";
import { checkIds } from "./embedding.ts";
import { rowsOf } from "./internal/product.ts";

/**
 * Rotates pairs of channels by angles that depend on the position. In each group of D channels, channels i and D/2 + i
 * are the coordinates of a 2D point (a, b), rotated by its angle θ:
 *
 *   (a, b) → (a·cos θ − b·sin θ, a·sin θ + b·cos θ)
 *
 * Source: Su et al. 2021.
 *
 * @param x         (…, C), groups of D channels
 * @param angles    (P, D): for each position, the cosines of its D/2 angles, then their sines; gets no gradient
 * @param positions the row of `angles` for each row of x: integers in 0 … P−1, in row-major order of (…)
 * @returns         the shape of x
 * @throws ShapeError if D is odd or does not divide C, or there is not one position per row
 * @throws TokenError if a position is outside the table
 * @example rotary(x, angles, [0, 1, 2]) // x (1, 3, 8), angles (16, 4) → (1, 3, 8)
 */
export function rotary(x: Tensor, angles: Tensor, positions: ArrayLike<number>): Tensor {
  const context = contextOf("rotary", x, angles);
  checkTypes("rotary", { positions }, { positions: "numbers" });
  const { backend } = context;
  const channels = x.shape[x.shape.length - 1];
  const [count, width] = angles.shape;
  const rows = x.shape.length === 0 ? 0 : rowsOf(x.shape);
  const fits = angles.shape.length === 2 && width % 2 === 0 && width > 0 && channels % width === 0;
  if (!fits || positions.length !== rows) {
    throw new ShapeError(
      `rotary: needs x (…, C), angles (P, D) with D even and C a multiple of it, and a position for each row: got ${formatShape(x.shape)}, ${formatShape(angles.shape)} and ${positions.length} positions`,
    );
  }
  checkIds("rotary", positions, 0, count);
  const size = { rows, groups: channels / width, half: width / 2 };
  const y = context.output(x.shape, [x]);
  backend.rotateRows(y.target, x.buffer, angles.buffer, positions, { ...size, backwards: false });
  // A copy: the caller may reuse its array before backward runs.
  const kept = y.needsGradient ? Int32Array.from(positions) : positions;
  // The transpose of a rotation is the inverse rotation.
  context.recordOp("rotary", y, (dy) =>
    backend.rotateRows(x.gradientTarget(), dy, angles.buffer, kept, { ...size, backwards: true }),
  );
  return y;
}
