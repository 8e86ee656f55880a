/**
 * GPT-2's initialization (Radford et al. 2019). Weights and embeddings are drawn from N(0, 0.02²). Projections into the
 * residual stream, of which each block has two, are drawn from N(0, (0.02/√(2·layers))²), or are 0. Norm weights start
 * at 1 and biases at 0.
 */
import type { Random } from "../random.ts";
import type { BlockConfig } from "./config.ts";

export const INIT_STD = 0.02;

/** The standard deviation of projections into the residual stream. */
export function residualStd(layers: number): number {
  return INIT_STD / Math.sqrt(2 * layers);
}

/** The same, or 0 with `zeroInit`, which does not change the draws of other weights. */
export function outputStd({ zeroInit, layers }: Pick<BlockConfig, "zeroInit" | "layers">): number {
  return zeroInit ? 0 : residualStd(layers);
}

/** Independent numbers from N(0, std²). */
export function normalValues(count: number, random: Random, std: number): Float64Array {
  const values = new Float64Array(count);
  // With std 0, negative draws become −0; adding 0 makes them 0.
  for (let i = 0; i < count; i++) values[i] = std * random.normal() + 0;
  return values;
}
