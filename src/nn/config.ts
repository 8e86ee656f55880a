/** The sizes and options of a model: with a vocabulary, all that is needed to build one. */
import { ConfigError } from "../errors.ts";

/** The activation between the MLP's two layers; "swiglu" adds a third layer, the gate. */
export type Activation = "gelu" | "gelu-tanh" | "relu2" | "swiglu";

/** "layer": mean 0 and variance 1. "rms": root mean square 1, whatever the mean. */
export type NormKind = "layer" | "rms";

/**
 * "learned": an embedding for each position is added to the token's. "rotary": queries and keys are rotated, so that
 * scores depend on distance. "none": no positions; a causal model can still count the tokens that a position sees.
 */
export type PositionKind = "learned" | "rotary" | "none";

/** The part of a configuration that a block uses. */
export interface BlockConfig {
  readonly layers: number;
  /** Attention heads in each layer (H); divides dModel. */
  readonly heads: number;
  /** Channels of the residual stream (C). */
  readonly dModel: number;
  /** Probability of dropping an activation in training. */
  readonly dropout: number;
  /** Whether linear layers have a bias, and LayerNorms a shift. */
  readonly bias: boolean;
  readonly activation: Activation;
  readonly norm: NormKind;
  /** Whether norms have a learned scale for each channel. */
  readonly normWeights: boolean;
  /** Whether each head's queries and keys are normalized before their dot product. */
  readonly qkNorm: boolean;
  /** Whether the projections into the residual stream start at 0, so that a new block is the identity. */
  readonly zeroInit: boolean;
  /** "textbook" composes attention from plain ops; "fused" computes the same numbers in one kernel. */
  readonly attention: "textbook" | "fused";
}

/** The configuration that all three architectures share. */
export interface ModelConfig extends BlockConfig {
  /** Number of distinct tokens (V). */
  readonly vocabSize: number;
  /** The longest sequence that the model accepts (T at most). */
  readonly contextLength: number;
  readonly positions: PositionKind;
  /** Whether the head reads the token embedding's weights instead of its own. */
  readonly tieHead: boolean;
}

export interface GPTConfig extends ModelConfig {
  /** Whether each position also reads an embedding of its token together with the one before it. */
  readonly bigram: boolean;
  /** Logits are soft-capped to −logitCap … logitCap; 0 is no cap. */
  readonly logitCap: number;
}

/** GPT-2's options, with exact GELU. */
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

/** @throws ConfigError when sizes do not fit together */
export function checkModelConfig(config: ModelConfig): void {
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

/** @throws ConfigError as `checkModelConfig`, and when the cap is no number ≥ 0 */
export function checkGPTConfig(config: GPTConfig): void {
  checkModelConfig(config);
  if (!(config.logitCap >= 0 && Number.isFinite(config.logitCap))) {
    throw new ConfigError(`logitCap must be a number ≥ 0: got ${config.logitCap}`);
  }
}

function nearestMultiple(size: number, of: number): number {
  return Math.max(1, Math.round(size / of)) * of;
}
