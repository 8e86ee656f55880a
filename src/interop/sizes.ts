/** The sizes of a model that other formats write out, with every default filled in. */
import { type BlockConfig, headSizeOf, kvHeadsOf } from "../nn/config.ts";
import { hiddenSize } from "../nn/layers/mlp.ts";

export interface Sizes {
  /** Channels of a head (D). */
  readonly headSize: number;
  /** Heads of keys and values. */
  readonly kvHeads: number;
  /** Channels of the MLP's hidden layer. */
  readonly mlpWidth: number;
}

export function sizesOf(config: BlockConfig): Sizes {
  return { headSize: headSizeOf(config), kvHeads: kvHeadsOf(config), mlpWidth: hiddenSize(config) };
}
