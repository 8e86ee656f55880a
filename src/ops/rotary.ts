import { contextOf } from "../autograd/context.ts";
import { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { checkIds } from "./embedding.ts";
import { rowsOf } from "./internal/product.ts";

/**
 * Turns pairs of channels in the plane, by angles that are looked up for each position. Within each run of D
 * channels, channels i and D/2 + i are a point (a, b), and with its angle θ:
 *
 *   (a, b) → (a·cos θ − b·sin θ, a·sin θ + b·cos θ)
 *
 * @param x      (…, C), runs of D channels one after the other
 * @param angles (P, D): for each place the cosines of its D/2 angles, then their sines; gets no gradient
 * @param places which row of angles each position takes: whole numbers in 0 … P−1, in row-major order of (…);
 *               in a tensor where they change and nothing else does, and then only looked at by the backend
 * @returns      the shape of x
 * @throws ShapeError when D is odd or does not divide C, or the places do not fill the positions
 * @throws TokenError when a place is outside the table
 * Source: Su et al. 2021.
 */
export function rotate(x: Tensor, angles: Tensor, places: ArrayLike<number> | Tensor): Tensor {
  const context = contextOf("rotate", x, angles);
  const { backend } = context;
  const channels = x.shape[x.shape.length - 1];
  const [count, width] = angles.shape;
  const rows = x.shape.length === 0 ? 0 : rowsOf(x.shape);
  const fits = angles.shape.length === 2 && width % 2 === 0 && width > 0 && channels % width === 0;
  const placeCount = places instanceof Tensor ? places.size : places.length;
  if (!fits || placeCount !== rows) {
    throw new ShapeError(
      `rotate: needs x (…, C), angles (P, D) with D even and C a multiple of it, and a place for each position: got ${formatShape(x.shape)}, ${formatShape(angles.shape)} and ${placeCount} places`,
    );
  }
  if (!(places instanceof Tensor)) checkIds("rotate", places, 0, count);
  const size = { rows, groups: channels / width, half: width / 2 };
  const at = places instanceof Tensor ? places.buffer : context.saveForBackward(places);
  const y = context.output(x.shape, [x]);
  backend.rotateRows(y.target, x.buffer, angles.buffer, at, { ...size, backwards: false });
  context.recordOp(
    "rotate",
    y,
    // The transpose of a rotation is the rotation back.
    (dy) => backend.rotateRows(x.gradientTarget(), dy, angles.buffer, at, { ...size, backwards: true }),
    places instanceof Tensor ? [] : [at],
  );
  return y;
}
