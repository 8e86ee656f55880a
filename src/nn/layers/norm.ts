import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";
import type { BlockConfig, NormKind } from "../config.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";

/**
 * Normalizes the channels of each position, then applies a learned scale (initially 1) and shift (initially 0). RMS
 * norm has no shift.
 */
export class Norm {
  /** (C), or null without a learned scale. */
  readonly weight: Tensor | null;
  /** (C), or null without a learned shift. */
  readonly bias: Tensor | null;
  readonly #kind: NormKind;
  readonly #epsilon: number;

  constructor(
    context: Context,
    config: Pick<BlockConfig, "dModel" | "norm" | "normEpsilon" | "normWeights" | "bias">,
  ) {
    const { dModel, norm, normEpsilon, normWeights, bias } = config;
    const parameter = (value: number) => context.parameter([dModel], new Float64Array(dModel).fill(value));
    this.weight = normWeights ? parameter(1) : null;
    this.bias = bias && norm === "layer" ? parameter(0) : null;
    this.#kind = norm;
    this.#epsilon = normEpsilon;
  }

  /** (…, C) → (…, C) */
  forward(x: Tensor): Tensor {
    return this.#kind === "rms"
      ? rmsNorm(x, this.weight, this.#epsilon)
      : layerNorm(x, this.weight, this.bias, this.#epsilon);
  }

  parameters(): NamedTensors {
    return parametersOf({ weight: this.weight, bias: this.bias });
  }
}
