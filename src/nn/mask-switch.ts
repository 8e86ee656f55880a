/** A GPT whose mask can be replaced while it lives, to see what the mask does. */
import type { Tensor } from "../autograd/tensor.ts";
import { GPT } from "./gpt.ts";
import type { KVCache } from "./inference/kv-cache.ts";
import { type ForwardOptions, INFERENCE } from "./inputs/forward-options.ts";
import type { TokenBatch } from "./inputs/token-batch.ts";
import type { MaskMatrix } from "./layers/textbook-attention.ts";

/**
 * A GPT with a switch for its mask. While `maskMatrix` is null, it computes what a GPT does, to the bit.
 *
 * @example
 *   const model = new MaskSwitchGPT(context, config, Random.of(1));
 *   model.maskMatrix = (queries, keys) => new Float64Array(queries * keys); // M = 0: every position sees every other
 */
export class MaskSwitchGPT extends GPT {
  /** What attention adds to its scores instead of the causal mask; null for the causal mask. */
  maskMatrix: MaskMatrix | null = null;

  override hidden(tokens: TokenBatch, options: ForwardOptions = INFERENCE): Tensor {
    const { maskMatrix } = this;
    return super.hidden(tokens, maskMatrix === null ? options : { ...options, maskMatrix });
  }

  override decode(
    tokens: TokenBatch,
    cache: KVCache,
    options: Pick<ForwardOptions, "lastOnly"> = {},
  ): Tensor {
    // A replayed step attends with the causal mask.
    if (this.maskMatrix === null) return super.decode(tokens, cache, options);
    return this.forward(tokens, { cache, random: null, ...options });
  }
}
