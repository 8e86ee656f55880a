/** The encoder and the encoder–decoder, broken on purpose, as sabotage.ts breaks GPT. */
import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { ModelConfig } from "../nn/config.ts";
import { Encoder } from "../nn/encoder.ts";
import { EncoderDecoder } from "../nn/encoder-decoder.ts";
import type { KVCache } from "../nn/inference/kv-cache.ts";
import { type EncoderOutput, type ForwardOptions, INFERENCE } from "../nn/inputs/forward-options.ts";
import type { TokenBatch } from "../nn/inputs/token-batch.ts";
import { causalMask, type MaskMatrix } from "../nn/layers/textbook-attention.ts";
import { Random } from "../random.ts";
import { type Break, forgetfulCache, seesAll, seesNext } from "./sabotage.ts";

/** How an encoder can be broken. It has no mask that could be lost, so it is given one. */
export const ENCODER_BREAKS = {
  mask: "GPT's mask in it: no position sees those that come after it",
  padding: "padding is attended to, as if it were text",
} as const;

export function brokenEncoder(
  how: keyof typeof ENCODER_BREAKS,
  context: Context,
  config: ModelConfig,
): Encoder {
  return new RemaskedEncoder(context, config, how === "mask" ? causalMask : seesAll);
}

/** A decoder with a break in it, beside an encoder that is whole. Weights are to be filled in. */
export function brokenEncoderDecoder(how: Break, context: Context, config: ModelConfig): EncoderDecoder {
  switch (how) {
    case "mask":
      return new RemaskedDecoder(context, config, seesAll);
    case "shift":
      return new RemaskedDecoder(context, config, seesNext);
    case "cache":
      return new Forgetful(context, config, Random.of(0));
    case "padding":
      return new PaddingBlind(context, config, causalMask);
  }
}

class RemaskedEncoder extends Encoder {
  readonly #maskMatrix: MaskMatrix;

  constructor(context: Context, config: ModelConfig, maskMatrix: MaskMatrix) {
    super(context, config, Random.of(0));
    this.#maskMatrix = maskMatrix;
  }

  override forward(tokens: TokenBatch, pass: Omit<ForwardOptions, "cache"> = INFERENCE): Tensor {
    return super.forward(tokens, { ...pass, maskMatrix: this.#maskMatrix });
  }
}

class RemaskedDecoder extends EncoderDecoder {
  readonly #maskMatrix: MaskMatrix;

  constructor(context: Context, config: ModelConfig, maskMatrix: MaskMatrix) {
    super(context, config, Random.of(0));
    this.#maskMatrix = maskMatrix;
  }

  override decode(
    tokens: TokenBatch,
    encoderOutput: EncoderOutput,
    options: ForwardOptions = INFERENCE,
  ): Tensor {
    return super.decode(tokens, encoderOutput, { ...options, maskMatrix: this.#maskMatrix });
  }
}

/** Causal, and blind to where a row or a source begins and ends. */
class PaddingBlind extends RemaskedDecoder {
  override decode(
    tokens: TokenBatch,
    { states }: EncoderOutput,
    options: ForwardOptions = INFERENCE,
  ): Tensor {
    return super.decode(tokens, { states }, options);
  }
}

class Forgetful extends EncoderDecoder {
  override makeCache(batchSize: number): KVCache {
    return forgetfulCache(this.context, this.config, batchSize);
  }
}
