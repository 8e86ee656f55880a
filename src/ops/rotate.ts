import { contextOf } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { checkIds } from "./embedding.ts";
import { rowsOf } from "./product.ts";

/**
 * Turns pairs of channels in the plane, by angles that are looked up for each position. Within each run of D
 * channels, channels i and D/2 + i are a point (a, b), and with its angle θ:
 *
 *   (a, b) → (a·cos θ − b·sin θ, a·sin θ + b·cos θ)
 *
 * @param x      (…, C), runs of D channels one after the other
 * @param angles (P, D): for each place the cosines of its D/2 angles, then their sines; gets no gradient
 * @param places which row of angles each position takes: whole numbers in 0 … P−1, in row-major order of (…)
 * @returns      the shape of x
 * @throws ShapeError when D is odd or does not divide C, or the places do not fill the positions
 * @throws TokenError when a place is outside the table
 * Source: Su et al. 2021.
 */
export function rotate(x: Tensor, angles: Tensor, places: ArrayLike<number>): Tensor {
  const context = contextOf("rotate", x, angles);
  const { backend } = context;
  const channels = x.shape[x.shape.length - 1];
  const [count, width] = angles.shape;
  const rows = x.shape.length === 0 ? 0 : rowsOf(x.shape);
  const fits = angles.shape.length === 2 && width % 2 === 0 && width > 0 && channels % width === 0;
  if (!fits || places.length !== rows) {
    throw new ShapeError(
      `rotate: needs x (…, C), angles (P, D) with D even and C a multiple of it, and a place for each position: got ${formatShape(x.shape)}, ${formatShape(angles.shape)} and ${places.length} places`,
    );
  }
  checkIds("rotate", places, 0, count);
  const size = { rows, groups: channels / width, half: width / 2 };
  const kept = context.keep(places);
  const y = context.output(x.shape, [x]);
  backend.rotateRows(y.sink, x.span, angles.span, kept, { ...size, backwards: false });
  context.record(
    "rotate",
    y,
    // The transpose of a rotation is the rotation back.
    (dy) => backend.rotateRows(x.gradientSink(), dy, angles.span, kept, { ...size, backwards: true }),
    [kept],
  );
  return y;
}
