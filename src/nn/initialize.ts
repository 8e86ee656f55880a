/**
 * GPT-2's initialization (Radford et al. 2019): weights and embeddings from N(0, 0.02²); the projections that
 * write into the residual stream from N(0, (0.02/√(2·layers))²), because each block adds two of them, or from 0;
 * norms 1, biases 0.
 */
import type { Random } from "../random.ts";
import type { BlockConfig } from "./config.ts";

export const INIT_STD = 0.02;

/** The deviation for projections into the residual stream. */
export function residualDeviation(layers: number): number {
  return INIT_STD / Math.sqrt(2 * layers);
}

/** The same, or 0 where new blocks are to change nothing. All else is drawn as it is without. */
export function outputDeviation({ zeroInit, layers }: Pick<BlockConfig, "zeroInit" | "layers">): number {
  return zeroInit ? 0 : residualDeviation(layers);
}

/** Independent numbers from N(0, deviation²). */
export function normalValues(count: number, random: Random, deviation: number): Float64Array {
  const values = new Float64Array(count);
  // Of −0, which a deviation of 0 gives, adding 0 makes 0.
  for (let i = 0; i < count; i++) values[i] = deviation * random.normal() + 0;
  return values;
}
