import type { Tensor } from "../../autograd/tensor.ts";
import type { AttentionMask } from "../../backend/backend.ts";
import type { Random } from "../../random.ts";
import type { DecodeState } from "../inference/decode-state.ts";
import type { KVCache } from "../inference/kv-cache.ts";
import type { MaskMatrix } from "../layers/textbook-attention.ts";
import type { Padding } from "./token-batch.ts";

/** What a forward pass through a model takes besides its tokens. */
export interface ForwardOptions {
  /** Keys and values of earlier positions, or null to start at position 0. */
  readonly cache: KVCache | null;
  /** The source of dropout keys, in the order of the ops; null outside training, where nothing is dropped. */
  readonly random: Random | null;
  /** Compute logits of the last position only: (B, 1, V). The last token of each row must be there (padded left). */
  readonly lastOnly?: boolean | undefined;
  /** Added to the input of the first block, (B, T, C): zeros whose gradient is that of the input, for checks. */
  readonly inputProbe?: Tensor | undefined;
  /** Replaces the mask of self-attention, to show what goes wrong without the right one. */
  readonly maskMatrix?: MaskMatrix | undefined;
}

/** A forward pass over whole sequences, without dropout. */
export const INFERENCE: ForwardOptions = { cache: null, random: null };

/** What each block takes besides its input: the options of the pass, worked out for its tokens. */
export interface BlockOptions extends Pick<ForwardOptions, "random" | "maskMatrix"> {
  /** Which keys each query may see in self-attention. */
  readonly mask: AttentionMask;
  /** How queries and keys are rotated; null unless positions are rotary. */
  readonly rotation: Rotation | null;
  /** Where new keys and values go in the cache; null without a cache. */
  readonly decode: DecodeState | null;
  /** For cross-attention. */
  readonly encoderOutput?: EncoderOutput | undefined;
}

/** Rotary positions of one pass. */
export interface Rotation {
  /** (P, D): for each position the cosines of its angles, then their sines. */
  readonly angles: Tensor;
  /** The position of each token, row by row: B·T numbers. */
  readonly positions: ArrayLike<number>;
}

export interface KeysAndValues {
  /** (B, S, C) */
  readonly keys: Tensor;
  /** (B, S, C) */
  readonly values: Tensor;
  /** Only the first `count` positions take part; all if left out. */
  readonly count?: number;
}

/** What an encoder–decoder's cross-attention reads. */
export interface EncoderOutput {
  /** (B, S, C) */
  readonly states: Tensor;
  /** Where the source's tokens are; left out if every row is full. */
  readonly padding?: Padding | undefined;
  /** Keys and values of the states by layer, computed once for many tokens; see `EncoderDecoder.project`. */
  readonly projected?: readonly KeysAndValues[] | undefined;
}
