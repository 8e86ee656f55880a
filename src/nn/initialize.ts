/**
 * GPT-2's initialization (Radford et al. 2019): weights and embeddings from N(0, 0.02²); the projections that write
 * into the residual stream from N(0, (0.02/√(2·layers))²), because each block has two of them, or 0; norms 1, biases 0.
 */
import type { Random } from "../random.ts";
import type { BlockConfig } from "./config.ts";

export const INIT_STD = 0.02;

/** The standard deviation for projections into the residual stream. */
export function residualStd(layers: number): number {
  return INIT_STD / Math.sqrt(2 * layers);
}

/** The same, or 0 with `zeroInit`. All other weights are drawn the same either way. */
export function outputStd({ zeroInit, layers }: Pick<BlockConfig, "zeroInit" | "layers">): number {
  return zeroInit ? 0 : residualStd(layers);
}

/** Independent numbers from N(0, std²). */
export function normalValues(count: number, random: Random, std: number): Float64Array {
  const values = new Float64Array(count);
  // A std of 0 gives −0 for negative draws; adding 0 makes it 0.
  for (let i = 0; i < count; i++) values[i] = std * random.normal() + 0;
  return values;
}
