/**
 * Rotary positions: the D channels of a head are D/2 points of the plane, and a query or key at position p is rotated
 * by p·θ_i, with θ_i from 1 radian per position down to about 1/10000. The dot product of two rotated points depends
 * on the difference of their angles only, so a score depends on the distance between query and key. Nothing is learned.
 * Source: Su et al. 2021; pairing channel i with i + D/2 follows GPT-NeoX.
 */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { cos, exp, log, sin } from "../../math.ts";

const BASE = 10_000;

/** The angles of positions 0 … count−1 as a persistent tensor (count, D): D/2 cosines, then D/2 sines. */
export function rotaryAngles(context: Context, count: number, headSize: number): Tensor {
  const half = headSize / 2;
  const frequencies = Array.from({ length: half }, (_, i) => exp((-i / half) * log(BASE)));
  const angles = context.persistent([count, headSize]);
  for (let position = 0; position < count; position++) {
    const turns = frequencies.map((frequency) => position * frequency);
    angles.write([...turns.map(cos), ...turns.map(sin)], position * headSize);
  }
  return angles;
}
