/**
 * What a query sees, out of three things: the kind of attention, where the tokens of padded rows stand, and how much
 * of each row a cache holds already. All masks of the model are made here.
 */
import type { KeyRange } from "../../ops/internal/key-window.ts";
import type { Mask } from "../../ops/softmax.ts";
import { lengthsOf, type Padding } from "./token-batch.ts";

/** The mask of a whole batch, or a window for each of its sequences. */
export type AttentionMask = Mask | readonly KeyRange[];

/** Self-attention over the positions of one pass: its queries are its keys. */
export function selfMask(kind: Mask, padding: Padding | undefined, positions: number): AttentionMask {
  if (padding === undefined) return kind;
  return padding.starts.map((from, b) => ({
    from,
    end: padding.ends[b],
    // The key at a query's own place is the last that a causal query sees.
    diagonal: kind === "causal" ? 0 : positions,
  }));
}

/**
 * Causal self-attention whose keys stand in a cache, without padding: those of earlier passes, then this pass's own.
 *
 * @param cached how many keys of each row earlier passes left
 */
export function cachedMask(
  cached: readonly number[],
  padding: Padding | undefined,
  positions: number,
): AttentionMask {
  if (padding === undefined && cached.every((length) => length === cached[0])) return "causal";
  const own = padding === undefined ? cached.map(() => positions) : lengthsOf(padding);
  return cached.map((length, b) => ({
    from: 0,
    end: length + own[b],
    diagonal: length - (padding?.starts[b] ?? 0),
  }));
}

/** Cross-attention: every query sees every token of the source, wherever it stands itself. */
export function crossMask(padding: Padding | undefined, sourcePositions: number): AttentionMask {
  return selfMask("none", padding, sourcePositions);
}
