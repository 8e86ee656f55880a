/**
 * GPT-2's initialization (Radford et al. 2019). Weights and embeddings are drawn from N(0, 0.02²). Projections into the
 * residual stream are drawn from N(0, (0.02/√n)²), or are 0. n is their number: two in each block, three with
 * cross-attention. So the variance that they add does not grow with depth. Norm weights start at 1 and biases at 0.
 */
import type { Fill } from "../autograd/context.ts";
import type { Random } from "../random.ts";
import type { BlockConfig } from "./config.ts";

export const INIT_STD = 0.02;

/**
 * The standard deviation of projections into the residual stream. With `zeroInit` it is 0, which does not change the
 * draws of other weights.
 *
 * @param writes the number of these projections in each block
 */
export function outputStd(
  { zeroInit, layers }: Pick<BlockConfig, "zeroInit" | "layers">,
  writes: number,
): number {
  return zeroInit ? 0 : INIT_STD / Math.sqrt(writes * layers);
}

/** Initial values of a parameter: independent numbers from N(0, std²). */
export function normal(random: Random, std: number): Fill {
  return (buffer, backend) => random.fillNormal(backend, buffer, std);
}
