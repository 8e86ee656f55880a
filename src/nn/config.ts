/** The sizes and choices that make a model what it is; together with a vocabulary, all that is needed to build one. */
import { ConfigError } from "../errors.ts";
import type { Activation } from "./layers/mlp.ts";
import type { NormKind } from "./layers/norm.ts";
import type { PositionKind } from "./layers/positions.ts";

/** What a block needs to know. */
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
  /** What is between the two layers of the MLP. */
  readonly activation: Activation;
  readonly norm: NormKind;
  /** Whether norms have a learned scale for each channel. */
  readonly normWeights: boolean;
  /** Whether each head's queries and keys are normalized before they meet. */
  readonly qkNorm: boolean;
  /** Whether the projections into the residual stream start at 0, so that a new block is the identity. */
  readonly zeroInit: boolean;
  /** "textbook" composes attention from plain ops, "fused" computes it in one kernel: the same numbers. */
  readonly attention: "textbook" | "fused";
}

/** What every model of the family has. */
export interface ModelConfig extends BlockConfig {
  /** How many different tokens there are (V). */
  readonly vocabSize: number;
  /** The longest sequence the model can see (T at most). */
  readonly contextLength: number;
  /** How the model knows where tokens stand. */
  readonly positions: PositionKind;
  /** Whether the head reads the token embedding's weights instead of its own. */
  readonly tieHead: boolean;
}

export interface GPTConfig extends ModelConfig {
  /** Whether each position also reads an embedding of its token together with the one before it. */
  readonly bigram: boolean;
  /** Logits are pressed into −logitCap … logitCap; 0 leaves them as they are. */
  readonly logitCap: number;
}

/** GPT-2's answers to the choices that are left open, with GELU exact. */
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
      `dModel must be a multiple of heads: got ${dModel} channels for ${heads} heads; ${nearestMultiple(dModel, heads)} would do`,
    );
  }
  if (positions === "rotary" && (dModel / heads) % 2 !== 0) {
    throw new ConfigError(
      `rotary positions turn pairs of channels, so each head needs an even number: got ${dModel} channels for ${heads} heads, ${dModel / heads} in each; ${nearestMultiple(dModel, 2 * heads)} channels would do`,
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
