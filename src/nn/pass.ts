import type { Random } from "../random.ts";
import type { KeyValueCache } from "./key-value-cache.ts";
import type { MaskMatrix } from "./textbook-attention.ts";

/** What one pass through a model brings along besides its input. */
export interface Pass {
  /** Positions already seen; null when the input starts at position 0. */
  readonly cache: KeyValueCache | null;
  /** Gives the keys of dropout, in the order of the ops; null outside training, where nothing is dropped. */
  readonly random: Random | null;
  /** Another mask than the causal one, to show what goes wrong without it. */
  readonly maskMatrix?: MaskMatrix;
}

/** A pass over whole sequences, with nothing dropped. */
export const PLAIN_PASS: Pass = { cache: null, random: null };
