import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { dropout } from "../ops/dropout.ts";
import { gelu } from "../ops/gelu.ts";
import type { Random } from "../random.ts";
import type { BlockConfig } from "./config.ts";
import { residualDeviation, WEIGHT_DEVIATION } from "./initialize.ts";
import { Linear } from "./linear.ts";
import { named, type Parameters } from "./parameters.ts";
import type { Pass } from "./pass.ts";

/** How much wider the hidden layer is than the residual stream. */
const EXPANSION = 4;

/** The position-wise part of a block: gelu(x·W₁ + b₁)·W₂ + b₂, the same for every position. */
export class MLP {
  readonly expand: Linear;
  readonly contract: Linear;
  readonly #config: BlockConfig;

  constructor(context: Context, config: BlockConfig, random: Random) {
    const { dModel, bias } = config;
    const hidden = EXPANSION * dModel;
    this.expand = new Linear(context, { inputs: dModel, outputs: hidden, bias }, random, WEIGHT_DEVIATION);
    const deviation = residualDeviation(config.layers);
    this.contract = new Linear(context, { inputs: hidden, outputs: dModel, bias }, random, deviation);
    this.#config = config;
  }

  /** (B, T, C) → (B, T, C) */
  forward(x: Tensor, { random }: Pass): Tensor {
    const hidden = gelu(this.expand.forward(x), this.#config.activation); // (B, T, 4C)
    return dropout(this.contract.forward(hidden), this.#config.dropout, random);
  }

  parameters(): Parameters {
    return { ...named("expand", this.expand.parameters()), ...named("contract", this.contract.parameters()) };
  }
}
