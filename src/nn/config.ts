/** The sizes and options of a model: together with a vocabulary, all that is needed to build one. */

import { ConfigError } from "../errors.ts";
import { checkChoice, checkTypes } from "../util/check-types.ts";

/** The activation between the MLP's two layers; "swiglu" adds a third layer, the gate. */
export type Activation = "gelu" | "gelu-tanh" | "relu2" | "swiglu";

/** "layer": mean 0 and variance 1. "rms": root mean square 1, whatever the mean. */
export type NormKind = "layer" | "rms";

/**
 * "learned": an embedding of the position is added to the token's. "rotary": queries and keys are rotated, so that
 * scores depend on distance. "none": nothing; a causal model can still count the tokens that a position sees.
 */
export type PositionKind = "learned" | "rotary" | "none";

/** The options of a transformer block. */
export interface BlockConfig {
  readonly layers: number;
  /** Attention heads per layer (H); divides dModel. */
  readonly heads: number;
  /** Channels of the residual stream (C). */
  readonly dModel: number;
  /** The probability of dropping an activation in training. */
  readonly dropout: number;
  /** Whether linear layers have a bias, and LayerNorms a shift. */
  readonly bias: boolean;
  readonly activation: Activation;
  readonly norm: NormKind;
  /** Whether norms have a learned scale for each channel. */
  readonly normWeights: boolean;
  /** Whether each head's queries and keys are normalized before their dot product. */
  readonly qkNorm: boolean;
  /** Whether the projections into the residual stream start at 0, so that a new block is the identity function. */
  readonly zeroInit: boolean;
  /** "textbook" composes attention from plain ops; "fused" computes the same numbers in one kernel. */
  readonly attention: "textbook" | "fused";
}

/** The options that all three architectures share. */
export interface ModelConfig extends BlockConfig {
  /** Number of distinct tokens (V). */
  readonly vocabSize: number;
  /** The longest sequence that the model supports (T at most). */
  readonly contextLength: number;
  readonly positions: PositionKind;
  /** Whether the head uses the token embedding as its weight instead of a separate one. */
  readonly tieHead: boolean;
}

export interface GPTConfig extends ModelConfig {
  /** Whether each position also gets an embedding of its token together with the previous one. */
  readonly bigram: boolean;
  /** Logits are soft-capped to −logitCap … logitCap; 0 means no cap. */
  readonly logitCap: number;
}

/**
 * GPT-2's options, with exact GELU.
 *
 * @example
 *   const sizes = { vocabSize: 65, contextLength: 64, layers: 4, heads: 4, dModel: 128 };
 *   const config: GPTConfig = { ...GPT2_STYLE, ...sizes, dropout: 0, attention: "fused" };
 */
export const GPT2_STYLE = {
  bias: true,
  activation: "gelu",
  norm: "layer",
  normWeights: true,
  qkNorm: false,
  zeroInit: false,
  positions: "learned",
  tieHead: true,
  bigram: false,
  logitCap: 0,
} as const satisfies Partial<GPTConfig>;

/** @throws ConfigError if a size is not a positive integer or the sizes do not fit together */
export function checkModelConfig(config: ModelConfig): void {
  checkTypes("model", { config }, { config: "object" });
  checkChoice("activation", config.activation, ["gelu", "gelu-tanh", "relu2", "swiglu"]);
  checkChoice("norm", config.norm, ["layer", "rms"]);
  checkChoice("positions", config.positions, ["learned", "rotary", "none"]);
  checkChoice("attention", config.attention, ["fused", "textbook"]);
  for (const name of ["vocabSize", "contextLength", "layers", "heads", "dModel"] as const) {
    if (!Number.isSafeInteger(config[name]) || config[name] < 1) {
      throw new ConfigError(`${name} must be a whole number ≥ 1: got ${config[name]}`);
    }
  }
  const { dModel, heads, positions } = config;
  if (dModel % heads !== 0) {
    throw new ConfigError(
      `dModel must be a multiple of heads: got ${dModel} channels for ${heads} heads; ${nearestMultiple(dModel, heads)} works`,
    );
  }
  if (positions === "rotary" && (dModel / heads) % 2 !== 0) {
    throw new ConfigError(
      `rotary positions rotate pairs of channels, so each head needs an even number: got ${dModel} channels for ${heads} heads, ${dModel / heads} in each; ${nearestMultiple(dModel, 2 * heads)} channels work`,
    );
  }
}

/** @throws ConfigError as `checkModelConfig`, or if `logitCap` is no finite number ≥ 0, or its reciprocal is infinite */
export function checkGPTConfig(config: GPTConfig): void {
  checkModelConfig(config);
  const { logitCap } = config;
  if (!(logitCap >= 0 && Number.isFinite(logitCap))) {
    throw new ConfigError(`logitCap must be a number ≥ 0: got ${logitCap}`);
  }
  // Logits are divided by it in single precision.
  if (logitCap > 0 && !Number.isFinite(Math.fround(1 / logitCap))) {
    throw new ConfigError(
      `logitCap is too small for single precision: got ${logitCap}; 0 means no cap, 30 is usual`,
    );
  }
}

function nearestMultiple(size: number, of: number): number {
  return Math.max(1, Math.round(size / of)) * of;
}
