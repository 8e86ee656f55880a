/**
 * Rotary positions. The D channels of a head are D/2 points in the plane, and at position p point i is rotated by
 * p·θ_i, with θ_i = base^(−2i/D): from 1 radian down to about 1/base. The dot product of a rotated query and a rotated
 * key depends only on the difference of their angles, so scores depend on distance. Nothing is learned.
 *
 * Source: Su et al. 2021; pairing channel i with i + D/2 follows GPT-NeoX.
 */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { cos, exp, log, sin } from "../../math.ts";

/** The angles of positions 0 … count−1 as a persistent tensor (count, D): D/2 cosines, then D/2 sines. */
export function rotaryAngles(context: Context, count: number, headSize: number, base: number): Tensor {
  const angles = context.persistent([count, headSize]);
  for (let position = 0; position < count; position++) {
    const { cosines, sines } = anglesAt(position, headSize, base);
    angles.write([...cosines, ...sines], position * headSize);
  }
  return angles;
}

/** The cosines and sines of the D/2 angles of one position. */
export function anglesAt(
  position: number,
  headSize: number,
  base: number,
): { readonly cosines: readonly number[]; readonly sines: readonly number[] } {
  const half = headSize / 2;
  const frequencies = Array.from({ length: half }, (_, i) => exp((-i / half) * log(base)));
  const turns = frequencies.map((frequency) => position * frequency);
  return { cosines: turns.map(cos), sines: turns.map(sin) };
}
