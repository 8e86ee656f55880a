import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { dropout } from "../../ops/dropout.ts";
import { linearGelu } from "../../ops/fused/linear-gelu.ts";
import { multiply } from "../../ops/multiply.ts";
import { reluSquared, silu } from "../../ops/unary.ts";
import type { Random } from "../../random.ts";
import type { BlockConfig } from "../config.ts";
import { INIT_STD, outputStd } from "../initialize.ts";
import type { ForwardOptions } from "../inputs/forward-options.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";
import { Linear } from "./linear.ts";

/** The hidden layer is this many times as wide as the residual stream. */
const EXPANSION = 4;

/**
 * Channels of the hidden layer. With a gate, the MLP has three matrices instead of two, so the hidden layer is a third
 * narrower, rounded up to a multiple of four, to keep the number of weights.
 */
export function hiddenSize({ dModel, activation }: Pick<BlockConfig, "dModel" | "activation">): number {
  return activation === "swiglu" ? 4 * Math.ceil((EXPANSION * dModel) / 6) : EXPANSION * dModel;
}

/**
 * The position-wise half of a block: the same two layers at every position.
 *
 *   f(x·W₁ + b₁)·W₂ + b₂                      f: GELU, exact or its tanh approximation, or ReLU²
 *   (silu(x·W₀ + b₀) ⊙ (x·W₁ + b₁))·W₂ + b₂   "swiglu" (Shazeer 2020)
 */
export class MLP {
  /** W₀, or null without a gate. */
  readonly gate: Linear | null;
  /** W₁: (C, hidden). */
  readonly up: Linear;
  /** W₂: (hidden, C). */
  readonly down: Linear;
  readonly #config: BlockConfig;

  constructor(context: Context, config: BlockConfig, random: Random) {
    const { dModel, bias } = config;
    const hidden = hiddenSize(config);
    const inner = () => new Linear(context, { inputs: dModel, outputs: hidden, bias }, random, INIT_STD);
    this.gate = config.activation === "swiglu" ? inner() : null;
    this.up = inner();
    this.down = new Linear(context, { inputs: hidden, outputs: dModel, bias }, random, outputStd(config));
    this.#config = config;
  }

  /** (B, T, C) → (B, T, C) */
  forward(x: Tensor, { random }: Pick<ForwardOptions, "random">): Tensor {
    return dropout(this.down.forward(this.#hidden(x)), this.#config.dropout, random);
  }

  parameters(): NamedTensors {
    return parametersOf({ gate: this.gate, up: this.up, down: this.down });
  }

  /** (B, T, C) → (B, T, hidden) */
  #hidden(x: Tensor): Tensor {
    const { gate, up } = this;
    switch (this.#config.activation) {
      case "swiglu": {
        const linear = up.forward(x);
        return gate === null ? linear : multiply(silu(gate.forward(x)), linear);
      }
      case "relu2":
        return reluSquared(up.forward(x));
      // gelu(up(x)) in one op.
      case "gelu":
        return linearGelu(x, up.weight, up.bias, "exact");
      case "gelu-tanh":
        return linearGelu(x, up.weight, up.bias, "tanh");
    }
  }
}
