import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { dropout } from "../../ops/dropout.ts";
import { linearGelu } from "../../ops/fused/linear-gelu.ts";
import { multiply } from "../../ops/multiply.ts";
import { reluSquared } from "../../ops/relu-squared.ts";
import { silu } from "../../ops/silu.ts";
import type { Random } from "../../random.ts";
import type { BlockConfig } from "../config.ts";
import { INIT_STD, outputDeviation } from "../initialize.ts";
import type { ForwardOptions } from "../inputs/forward-options.ts";
import { type NamedTensors, named } from "../parameters.ts";
import { Linear } from "./linear.ts";

/** What stands between the two layers; "swiglu" has a third layer, the gate. */
export type Activation = "gelu" | "gelu-tanh" | "relu2" | "swiglu";

/** How much wider the hidden layer is than the residual stream. */
const EXPANSION = 4;

/**
 * Channels of the hidden layer. A gate is a third matrix, so the layer is narrower by a third: the same number of
 * weights, rounded up to a multiple of four.
 */
export function hiddenSize({ dModel, activation }: Pick<BlockConfig, "dModel" | "activation">): number {
  return activation === "swiglu" ? 4 * Math.ceil((EXPANSION * dModel) / 6) : EXPANSION * dModel;
}

/**
 * The position-wise part of a block, the same for every position:
 *
 *   f(x·W₁ + b₁)·W₂ + b₂                      f: GELU, exact or by tanh, or ReLU²
 *   (silu(x·W₀ + b₀) ⊙ (x·W₁ + b₁))·W₂ + b₂   "swiglu" (Shazeer 2020)
 */
export class MLP {
  /** null without a gate. */
  readonly gate: Linear | null;
  readonly expand: Linear;
  readonly contract: Linear;
  readonly #config: BlockConfig;

  constructor(context: Context, config: BlockConfig, random: Random) {
    const { dModel, bias } = config;
    const hidden = hiddenSize(config);
    const inner = () => {
      return new Linear(context, { inputs: dModel, outputs: hidden, bias }, random, INIT_STD);
    };
    this.gate = config.activation === "swiglu" ? inner() : null;
    this.expand = inner();
    const deviation = outputDeviation(config);
    this.contract = new Linear(context, { inputs: hidden, outputs: dModel, bias }, random, deviation);
    this.#config = config;
  }

  /** (B, T, C) → (B, T, C) */
  forward(x: Tensor, { random }: ForwardOptions): Tensor {
    return dropout(this.contract.forward(this.#hidden(x)), this.#config.dropout, random);
  }

  parameters(): NamedTensors {
    return {
      ...(this.gate === null ? {} : named("gate", this.gate.parameters())),
      ...named("expand", this.expand.parameters()),
      ...named("contract", this.contract.parameters()),
    };
  }

  /** (B, T, hidden) */
  #hidden(x: Tensor): Tensor {
    const { activation } = this.#config;
    if (this.gate !== null) {
      const expanded = this.expand.forward(x);
      return multiply(silu(this.gate.forward(x)), expanded);
    }
    if (activation === "relu2") return reluSquared(this.expand.forward(x));
    // gelu(x·W₁ + b₁) in one op.
    return linearGelu(x, this.expand.weight, this.expand.bias, activation === "gelu-tanh" ? "tanh" : "exact");
  }
}
