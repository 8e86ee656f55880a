/**
 * Rotary positions: the D channels of a head are D/2 points of the plane, and a query or key at place p is turned by
 * p·θ_i, with θ_i from 1 radian a place down to about 1/10000. Turning two points by different angles leaves only the
 * difference in their product, so a score depends on how far apart query and key are, and not on where. Nothing is
 * learned. Source: Su et al. 2021; the pairing of channel i with i + D/2 as in GPT-NeoX.
 */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { cos, exp, log, sin } from "../../math.ts";

/** How each position of a pass is turned. */
export interface Rotation {
  /** (P, D): the cosines of each place's angles, then their sines. */
  readonly angles: Tensor;
  /** The place of each position, row by row. */
  readonly places: ArrayLike<number> | Tensor;
}

const SLOWEST = 10_000;

/** The angles of places 0 … count−1, held: (count, D). */
export function rotaryAngles(context: Context, count: number, headSize: number): Tensor {
  const half = headSize / 2;
  const speeds = Array.from({ length: half }, (_, i) => exp((-i / half) * log(SLOWEST)));
  const angles = context.persistent([count, headSize]);
  for (let place = 0; place < count; place++) {
    const turns = speeds.map((speed) => place * speed);
    context.backend.write(angles.buffer, [...turns.map(cos), ...turns.map(sin)], place * headSize);
  }
  return angles;
}
