/** The sizes and choices that make a model what it is; together with a vocabulary, all that is needed to build one. */
import { ConfigError } from "../errors.ts";
import type { GeluForm } from "../ops/gelu.ts";

/** What a block needs to know. */
export interface BlockConfig {
  readonly layers: number;
  /** Attention heads in each layer (H); divides dModel. */
  readonly heads: number;
  /** Channels of the residual stream (C). */
  readonly dModel: number;
  /** Probability of dropping an activation in training. */
  readonly dropout: number;
  /** Whether linear layers and norms have a bias. */
  readonly bias: boolean;
  /** The form of GELU in the MLP. */
  readonly activation: GeluForm;
  /** "textbook" composes attention from plain ops, "fused" computes it in one kernel: the same numbers. */
  readonly attention: "textbook" | "fused";
}

/** What every model of the family has. */
export interface ModelConfig extends BlockConfig {
  /** How many different tokens there are (V). */
  readonly vocabSize: number;
  /** The longest sequence the model can see (T at most). */
  readonly contextLength: number;
  /** Whether the head reads the token embedding's weights instead of its own. */
  readonly tieHead: boolean;
}

export interface GPTConfig extends ModelConfig {
  /** Whether each position also reads an embedding of its token together with the one before it. */
  readonly bigram: boolean;
}

/** @throws ConfigError when sizes do not fit together */
export function checkModelConfig(config: ModelConfig): void {
  for (const name of ["vocabSize", "contextLength", "layers", "heads", "dModel"] as const) {
    if (!Number.isSafeInteger(config[name]) || config[name] < 1) {
      throw new ConfigError(`${name} must be a whole number ≥ 1: got ${config[name]}`);
    }
  }
  if (config.dModel % config.heads !== 0) {
    throw new ConfigError(
      `dModel must be a multiple of heads: got ${config.dModel} channels for ${config.heads} heads; ${nearestMultiple(config)} would do`,
    );
  }
}

function nearestMultiple({ dModel, heads }: ModelConfig): number {
  return Math.max(1, Math.round(dModel / heads)) * heads;
}
