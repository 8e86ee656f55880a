import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { addLayerNorm, layerNorm } from "../../ops/layer-norm.ts";
import { addRmsNorm, rmsNorm } from "../../ops/rms-norm.ts";
import type { BlockConfig } from "../config.ts";
import type { NamedTensors } from "../parameters.ts";
import type { Stream } from "./residual.ts";

/** "layer": mean 0 and variance 1. "rms": a root mean square of 1, whatever the mean. */
export type NormKind = "layer" | "rms";

/**
 * Each position's channels to one size, then a learned scale (from 1) where norms have weights, and a learned shift
 * (from 0) where layers have biases. RMS norm never shifts: it would give back the mean that it does not take away.
 */
export class Norm {
  /** null without a learned scale. */
  readonly weight: Tensor | null;
  /** null without a learned shift. */
  readonly bias: Tensor | null;
  readonly #kind: NormKind;

  constructor(context: Context, config: Pick<BlockConfig, "dModel" | "norm" | "normWeights" | "bias">) {
    const { dModel, norm, normWeights, bias } = config;
    const parameter = (value: number) => context.parameter([dModel], new Float64Array(dModel).fill(value));
    this.weight = normWeights ? parameter(1) : null;
    this.bias = bias && norm === "layer" ? parameter(0) : null;
    this.#kind = norm;
  }

  /** (…, C) → (…, C) */
  forward(x: Tensor): Tensor {
    return this.#kind === "rms" ? rmsNorm(x, this.weight) : layerNorm(x, this.weight, this.bias);
  }

  /** What the stream carries, with all that was to be added, and its norm. */
  read({ carried, added }: Stream): { readonly carried: Tensor; readonly normed: Tensor } {
    if (added === null) return { carried, normed: this.forward(carried) };
    const { weight, bias } = this;
    const { sum, normed } =
      this.#kind === "rms" ? addRmsNorm(carried, added, weight) : addLayerNorm(carried, added, weight, bias);
    return { carried: sum, normed };
  }

  parameters(): NamedTensors {
    return {
      ...(this.weight === null ? {} : { weight: this.weight }),
      ...(this.bias === null ? {} : { bias: this.bias }),
    };
  }
}
