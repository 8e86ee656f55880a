/** The mask matrices of the mask switch. */
import type { MaskMatrix } from "../../nn/layers/textbook-attention.ts";
import { showAll, showNext } from "../../verify/wrong-masks.ts";
import type { MaskMode } from "../masks.ts";

/** What attention adds to its scores instead of the causal mask; null for the causal mask. */
export function maskMatrixOf(mode: MaskMode): MaskMatrix | null {
  return { on: null, off: showAll, shifted: showNext }[mode];
}
