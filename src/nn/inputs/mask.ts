/** The masks of self-attention without a cache, and of cross-attention. For masks over cached keys see ../inference/decode-state.ts. */
import type { AttentionMask, Mask } from "../../backend/backend.ts";
import type { Padding } from "./token-batch.ts";

/**
 * A mask that also hides padding.
 *
 * @param mask    what queries may see of unpadded keys
 * @param padding where the keys' tokens are, or undefined without padding
 * @param keys    S
 */
export function paddingMask(mask: Mask, padding: Padding | undefined, keys: number): AttentionMask {
  if (padding === undefined) return mask;
  return padding.starts.map((start, b) => ({
    start,
    end: padding.ends[b],
    diagonal: mask === "causal" ? 0 : keys,
  }));
}
