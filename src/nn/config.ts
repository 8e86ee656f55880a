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
  /** Attention heads per layer (H); divides dModel, unless headSize is given. */
  readonly heads: number;
  /** Heads of keys and values (H_kv), each shared by H / H_kv heads of queries; 0 means H. */
  readonly kvHeads: number;
  /** Channels of a head (D); 0 means dModel / heads. */
  readonly headSize: number;
  /** Channels of the residual stream (C). */
  readonly dModel: number;
  /** The probability of dropping an activation in training. */
  readonly dropout: number;
  /** Whether linear layers have a bias, and LayerNorms a shift. */
  readonly bias: boolean;
  readonly activation: Activation;
  /** Channels of the MLP's hidden layer; 0 means the usual number, see `hiddenSize`. */
  readonly mlpWidth: number;
  readonly norm: NormKind;
  /** ε of all norms, added to a variance or a mean square. */
  readonly normEpsilon: number;
  /** Whether norms have a learned scale for each channel. */
  readonly normWeights: boolean;
  /** Whether each head's queries and keys are normalized before their dot product. */
  readonly qkNorm: boolean;
  /** Whether that norm has a learned scale for each channel of a head; needs qkNorm. */
  readonly qkNormWeights: boolean;
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
  /** The base of the angles of rotary positions; see rotary-angles.ts. */
  readonly ropeBase: number;
  /** Whether the head uses the token embedding as its weight instead of a separate one. */
  readonly tieHead: boolean;
  /**
   * Whether training keeps only the input of each block and computes the rest again in backward: less memory, more
   * time, same bits.
   */
  readonly checkpointActivations: boolean;
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
  kvHeads: 0,
  headSize: 0,
  bias: true,
  activation: "gelu",
  mlpWidth: 0,
  norm: "layer",
  normEpsilon: 1e-5,
  normWeights: true,
  qkNorm: false,
  qkNormWeights: false,
  zeroInit: false,
  positions: "learned",
  ropeBase: 10_000,
  tieHead: true,
  checkpointActivations: false,
  bigram: false,
  logitCap: 0,
} as const satisfies Partial<GPTConfig>;

/** The channels of a head (D). */
export function headSizeOf({
  headSize,
  dModel,
  heads,
}: Pick<BlockConfig, "headSize" | "dModel" | "heads">): number {
  return headSize === 0 ? dModel / heads : headSize;
}

/** The number of heads of keys and values. */
export function kvHeadsOf({ kvHeads, heads }: Pick<BlockConfig, "kvHeads" | "heads">): number {
  return kvHeads === 0 ? heads : kvHeads;
}

/** The channels of the keys of a position, and those of its values: H_kv·D. */
export function kvChannelsOf(config: BlockConfig): number {
  return kvHeadsOf(config) * headSizeOf(config);
}

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
  for (const name of ["kvHeads", "headSize", "mlpWidth"] as const) {
    if (!Number.isSafeInteger(config[name]) || config[name] < 0) {
      throw new ConfigError(`${name} must be a whole number ≥ 0: got ${config[name]}`);
    }
  }
  checkHeads(config);
  const { normEpsilon, ropeBase, qkNorm, qkNormWeights } = config;
  if (!(Math.fround(normEpsilon) > 0 && Number.isFinite(normEpsilon))) {
    throw new ConfigError(`normEpsilon must be a number above 0: got ${normEpsilon}; 1e-5 is usual`);
  }
  if (!(ropeBase >= 1 && Number.isFinite(ropeBase))) {
    throw new ConfigError(`ropeBase must be a number ≥ 1: got ${ropeBase}; 10000 is usual`);
  }
  if (qkNormWeights && !qkNorm) {
    throw new ConfigError("qkNormWeights are the weights of qkNorm: got qkNormWeights without qkNorm");
  }
}

function checkHeads({ heads, kvHeads, headSize, dModel, positions }: ModelConfig): void {
  if (headSize === 0 && dModel % heads !== 0) {
    throw new ConfigError(
      `dModel must be a multiple of heads: got ${dModel} channels for ${heads} heads; ${nearestMultiple(dModel, heads)} works`,
    );
  }
  if (kvHeads > 0 && heads % kvHeads !== 0) {
    throw new ConfigError(
      `heads must be a multiple of kvHeads, since each head of keys serves the same number of query heads: got ${heads} heads and ${kvHeads} kvHeads; ${divisorsOf(heads)} work`,
    );
  }
  if (positions !== "rotary") return;
  if (headSize % 2 !== 0) {
    throw new ConfigError(
      `rotary positions rotate pairs of channels, so headSize must be even: got ${headSize}; ${headSize + 1} works`,
    );
  }
  if (headSize === 0 && (dModel / heads) % 2 !== 0) {
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

/** "1, 3 and 9" for 9. */
function divisorsOf(size: number): string {
  const all = Array.from({ length: size }, (_, i) => i + 1).filter((divisor) => size % divisor === 0);
  return all.length === 1 ? "1" : `${all.slice(0, -1).join(", ")} and ${all[all.length - 1]}`;
}

function nearestMultiple(size: number, of: number): number {
  return Math.max(1, Math.round(size / of)) * of;
}
