/** Masks for attention without a cache. For masks over cached keys see ../inference/decode-state.ts. */
import type { AttentionMask, Mask } from "../../backend/backend.ts";
import type { Padding } from "./token-batch.ts";

/**
 * Extends a mask to hide padding.
 *
 * @param mask    the mask without padding
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

/** The mask without its first queries: that of the queries from index `first` on. */
export function laterQueries(mask: AttentionMask, first: number): AttentionMask {
  if (typeof mask === "string") return mask; // Causal queries are the last positions, however many there are.
  return mask.map((range) => ({ ...range, diagonal: range.diagonal + first }));
}
