import type { Tensor } from "../../autograd/tensor.ts";
import type { Random } from "../../random.ts";
import type { KVCache, LayerKeysAndValues } from "../inference/kv-cache.ts";
import type { Rotation } from "../layers/rotary.ts";
import type { MaskMatrix } from "../layers/textbook-attention.ts";
import type { Padding } from "./token-batch.ts";

/** What one pass through a model brings along besides its input. */
export interface ForwardOptions {
  /** Positions already seen; null when the input starts at position 0. */
  readonly cache: KVCache | null;
  /** Gives the keys of dropout, in the order of the ops; null outside training, where nothing is dropped. */
  readonly random: Random | null;
  /** Where the tokens of the input stand; left out where every row is full. The model takes it from `Tokens`. */
  readonly padding?: Padding | undefined;
  /** How self-attention turns queries and keys; the model sets it where its positions are rotary. */
  readonly rotation?: Rotation | undefined;
  /** Added to what the first block reads, (B, T, C): zeros whose gradient is that of the input, for checks of reach. */
  readonly inputProbe?: Tensor | undefined;
  /** What cross-attention reads; only blocks of an encoder–decoder need it. */
  readonly memory?: EncoderOutput | undefined;
  /** Another mask than the model's own in self-attention, to show what goes wrong without it. */
  readonly maskMatrix?: MaskMatrix | undefined;
}

/** A source that was read, for cross-attention. */
export interface EncoderOutput {
  /** (B, S, C) */
  readonly states: Tensor;
  /** Where the tokens of the source stand; left out where every row is full. */
  readonly padding?: Padding | undefined;
  /** Keys and values of the states, by layer, where they are kept: they are the same for every token that is generated. */
  readonly projected?: readonly LayerKeysAndValues[] | undefined;
}

/** A pass over whole sequences, with nothing dropped. */
export const INFERENCE: ForwardOptions = { cache: null, random: null };
