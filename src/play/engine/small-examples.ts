/** Attention small enough to compute by hand. */
import type { Matrix } from "./hide.ts";

export const EXAMPLES = ["three", "five"] as const;
export type Example = (typeof EXAMPLES)[number];

export interface SmallAttention {
  readonly tokens: readonly string[];
  /** Q (T, D) */
  readonly queries: Matrix;
  /** K (T, D) */
  readonly keys: Matrix;
}

/** Scores of small whole numbers: the middle row is 2, 1, 3. D is 4, so that √D is 2. */
const three: SmallAttention = {
  tokens: ["the", "cat", "sat"],
  queries: [
    [1, 0, 2, 2],
    [2, 1, 3, 3],
    [0, 2, 1, 1],
  ],
  keys: [
    [2, 0, 0, 0],
    [0, 2, 0, 0],
    [0, 0, 1, 1],
  ],
};

/** Equal scores: each row is the mean of what it sees. */
const five: SmallAttention = {
  tokens: ["the", "cat", "sat", "on", "it"],
  queries: Array.from({ length: 5 }, () => [1, 1]),
  keys: Array.from({ length: 5 }, () => [0, 0]),
};

export const SMALL_EXAMPLES: Readonly<Record<Example, SmallAttention>> = { three, five };
