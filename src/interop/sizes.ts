/** The sizes of a GPT that other formats write out, with every default filled in. */
import type { GPTConfig } from "../nn/config.ts";
import { hiddenSize } from "../nn/layers/mlp.ts";

export interface Sizes {
  /** Channels of a head (D). */
  readonly headSize: number;
  /** Heads of keys and values. */
  readonly kvHeads: number;
  /** Channels of the MLP's hidden layer. */
  readonly mlpWidth: number;
  /** ε of the norms. */
  readonly normEpsilon: number;
  /** The base of rotary positions. */
  readonly ropeBase: number;
}

export function sizesOf(config: GPTConfig): Sizes {
  return {
    headSize: config.dModel / config.heads,
    kvHeads: config.heads,
    mlpWidth: hiddenSize(config),
    normEpsilon: 1e-5,
    ropeBase: 10_000,
  };
}
