import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";
import type { BlockConfig, NormKind } from "../config.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";

/**
 * Normalizes each position's channels, then applies a learned scale (initially 1) and a learned shift (initially 0).
 * RMS norm has no shift, since it keeps the mean.
 */
export class Norm {
  /** (C), or null without a learned scale. */
  readonly weight: Tensor | null;
  /** (C), or null without a learned shift. */
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

  parameters(): NamedTensors {
    return parametersOf({ weight: this.weight, bias: this.bias });
  }
}
