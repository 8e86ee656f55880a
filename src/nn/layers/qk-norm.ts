import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { reshape } from "../../ops/reshape.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";
import { type BlockConfig, headSizeOf } from "../config.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";

/**
 * Scales the queries or keys of each head to root mean square 1, then by a learned number for each channel of a head
 * (initially 1), if the model has these. Without them, scores are at most √D, however large the other weights become,
 * so attention cannot saturate.
 *
 * Source: Henry et al. 2020; without a learned scale, as in the later speedrun models, or with one, as in Qwen3.
 */
export class QKNorm {
  /** (D), shared by all heads, or null without a learned scale. */
  readonly weight: Tensor | null;
  readonly #headSize: number;
  readonly #epsilon: number;

  constructor(context: Context, config: BlockConfig) {
    this.#headSize = headSizeOf(config);
    this.#epsilon = config.normEpsilon;
    const ones = new Float64Array(this.#headSize).fill(1);
    this.weight = config.qkNormWeights ? context.parameter([this.#headSize], ones) : null;
  }

  /** (B, T, H·D) → (B, T, H·D), for any number of heads */
  forward(x: Tensor): Tensor {
    const [batchSize, positions, channels] = x.shape;
    const heads = reshape(x, [batchSize, positions, channels / this.#headSize, this.#headSize]);
    return reshape(rmsNorm(heads, this.weight, this.#epsilon), x.shape);
  }

  parameters(): NamedTensors {
    return parametersOf({ weight: this.weight });
  }
}
