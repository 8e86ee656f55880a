/** Counts what attention computes under a mask. */

import { causalMask } from "../../nn/layers/textbook-attention.ts";
import type { MaskSwitchGPT } from "../../nn/mask-switch.ts";

/** The scores that the model's mask lets through, for each head: `queries` of them are the last of `keys` positions. */
export function countScores(model: MaskSwitchGPT, queries: number, keys: number): number {
  const matrix = (model.maskMatrix ?? causalMask)(queries, keys);
  return matrix.reduce((count, added) => (added === 0 ? count + 1 : count), 0);
}
