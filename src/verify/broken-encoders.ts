/** Encoders and encoder–decoders with injected faults, like the GPTs in broken-gpt.ts. */
import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { ModelConfig } from "../nn/config.ts";
import { Encoder } from "../nn/encoder.ts";
import { EncoderDecoder } from "../nn/encoder-decoder.ts";
import type { KVCache } from "../nn/inference/kv-cache.ts";
import { type EncoderOutput, type ForwardOptions, INFERENCE } from "../nn/inputs/forward-options.ts";
import type { TokenBatch } from "../nn/inputs/token-batch.ts";
import { causalMask, type MaskMatrix } from "../nn/layers/textbook-attention.ts";
import { MaskSwitchEncoderDecoder } from "../nn/mask-switch-encoder-decoder.ts";
import { Random } from "../random.ts";
import { type Break, lossyCache } from "./broken-gpt.ts";
import { showAll, showNext } from "./wrong-masks.ts";

/** The faults of an encoder, described. An encoder has no causal mask to lose, so the fault adds one. */
export const ENCODER_BREAKS = {
  mask: "it has GPT's causal mask, so no position attends to later ones",
  padding: "positions attend to padding as if it were text",
} as const;

export function brokenEncoder(
  how: keyof typeof ENCODER_BREAKS,
  context: Context,
  config: ModelConfig,
): Encoder {
  return new RemaskedEncoder(context, config, how === "mask" ? causalMask : showAll);
}

/** Returns a model with an intact encoder and a broken decoder. The caller fills in the weights. */
export function brokenEncoderDecoder(how: Break, context: Context, config: ModelConfig): EncoderDecoder {
  switch (how) {
    case "mask":
      return new RemaskedDecoder(context, config, showAll);
    case "shift":
      return new RemaskedDecoder(context, config, showNext);
    case "cache":
      return new LossyCacheEncoderDecoder(context, config, Random.of(0));
    case "padding":
      return new PaddingIgnored(context, config, causalMask);
  }
}

class RemaskedEncoder extends Encoder {
  readonly #maskMatrix: MaskMatrix;

  constructor(context: Context, config: ModelConfig, maskMatrix: MaskMatrix) {
    super(context, config, Random.of(0));
    this.#maskMatrix = maskMatrix;
  }

  override hidden(tokens: TokenBatch, pass: Omit<ForwardOptions, "cache"> = INFERENCE): Tensor {
    return super.hidden(tokens, { ...pass, maskMatrix: this.#maskMatrix });
  }
}

class RemaskedDecoder extends MaskSwitchEncoderDecoder {
  constructor(context: Context, config: ModelConfig, maskMatrix: MaskMatrix) {
    super(context, config, Random.of(0));
    this.maskMatrix = maskMatrix;
  }
}

/** A decoder with a causal mask that ignores where rows and sources begin and end. */
class PaddingIgnored extends RemaskedDecoder {
  override decode(
    tokens: TokenBatch,
    { states }: EncoderOutput,
    options: ForwardOptions = INFERENCE,
  ): Tensor {
    return super.decode(tokens, { states }, options);
  }
}

class LossyCacheEncoderDecoder extends EncoderDecoder {
  override makeCache(batchSize: number): KVCache {
    return lossyCache(this.context, this.config, batchSize);
  }
}
