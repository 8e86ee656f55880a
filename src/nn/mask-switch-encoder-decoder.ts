/** An encoder–decoder whose decoder's mask can be replaced while it lives. */
import type { Tensor } from "../autograd/tensor.ts";
import { EncoderDecoder } from "./encoder-decoder.ts";
import { type EncoderOutput, type ForwardOptions, INFERENCE } from "./inputs/forward-options.ts";
import type { TokenBatch } from "./inputs/token-batch.ts";
import type { MaskMatrix } from "./layers/textbook-attention.ts";

/** An encoder–decoder with a switch for the mask of its decoder's self-attention, like that of `MaskSwitchGPT`. */
export class MaskSwitchEncoderDecoder extends EncoderDecoder {
  /** What the decoder's self-attention adds to its scores instead of the causal mask; null for the causal mask. */
  maskMatrix: MaskMatrix | null = null;

  override decode(
    tokens: TokenBatch,
    encoderOutput: EncoderOutput,
    options: ForwardOptions = INFERENCE,
  ): Tensor {
    const { maskMatrix } = this;
    return super.decode(tokens, encoderOutput, maskMatrix === null ? options : { ...options, maskMatrix });
  }
}
