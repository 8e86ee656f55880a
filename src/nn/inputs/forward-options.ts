import type { Tensor } from "../../autograd/tensor.ts";
import type { AttentionMask } from "../../backend/backend.ts";
import type { Random } from "../../random.ts";
import type { DecodeState } from "../inference/decode-state.ts";
import type { KVCache } from "../inference/kv-cache.ts";
import type { MaskMatrix } from "../layers/textbook-attention.ts";
import type { Padding } from "./token-batch.ts";

/** The inputs of a forward pass besides the tokens. */
export interface ForwardOptions {
  /** Keys and values of earlier positions, or null to start at position 0. */
  readonly cache: KVCache | null;
  /** Draws the dropout keys, in the order of the ops; null outside training, where nothing is dropped. */
  readonly random: Random | null;
  /**
   * Whether to compute only the logits of the last position: (B, 1, V). They have the same bits as among those of all
   * positions, unless activations are dropped. Rows must be padded on the left, if at all.
   */
  readonly lastOnly?: boolean | undefined;
  /** Added to the input of the first block, (B, T, C). Checks use zeros here to get the gradient of that input. */
  readonly inputProbe?: Tensor | undefined;
  /** Replaces the mask of self-attention, to show what happens with a wrong one. */
  readonly maskMatrix?: MaskMatrix | undefined;
}

/** A forward pass over whole sequences, without dropout. */
export const INFERENCE: ForwardOptions = { cache: null, random: null };

/** The inputs of a block besides x, derived from the forward options and the tokens. */
export interface BlockOptions extends Pick<ForwardOptions, "random" | "maskMatrix"> {
  /** Whether the output is read only at the last position, as in the last block of a forward pass with `lastOnly`. */
  readonly lastOnly?: boolean | undefined;
  /** Which keys each query sees in self-attention. */
  readonly mask: AttentionMask;
  /** How queries and keys are rotated; null unless positions are rotary. */
  readonly rotation: Rotation | null;
  /** The decoding step, which stores new keys and values in the cache; null without a cache. */
  readonly decode: DecodeState | null;
  /** The input of cross-attention, if the block has it. */
  readonly encoderOutput?: EncoderOutput | undefined;
}

/** The rotary positions of a forward pass. */
export interface Rotation {
  /** (P, D): for each position the cosines of its angles, then their sines. */
  readonly angles: Tensor;
  /** The position of each token, row by row: B·T numbers. */
  readonly positions: ArrayLike<number>;
}

export interface KeysAndValues {
  /** (B, S, H_kv·D) */
  readonly keys: Tensor;
  /** (B, S, H_kv·D) */
  readonly values: Tensor;
  /** Only the first `count` positions take part. Default: all. */
  readonly count?: number;
}

/** The input of an encoder–decoder's cross-attention. */
export interface EncoderOutput {
  /** (B, S, C) */
  readonly states: Tensor;
  /** Where the source's tokens are; omitted if every row is full. */
  readonly padding?: Padding | undefined;
  /** Keys and values of the states by layer, computed once for all tokens; see `EncoderDecoder.project`. */
  readonly projected?: readonly KeysAndValues[] | undefined;
}
