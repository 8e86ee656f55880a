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

/** The width of the hidden layer, as a multiple of dModel. */
const EXPANSION = 4;

/**
 * The number of hidden channels: `mlpWidth`, or the usual number if that is 0. With a gate, the MLP has three matrices
 * instead of two, so the hidden layer is a third narrower, rounded up to a multiple of four. This keeps the number of
 * weights about the same.
 */
export function hiddenSize({
  dModel,
  activation,
  mlpWidth,
}: Pick<BlockConfig, "dModel" | "activation" | "mlpWidth">): number {
  if (mlpWidth > 0) return mlpWidth;
  return activation === "swiglu" ? 4 * Math.ceil((EXPANSION * dModel) / 6) : EXPANSION * dModel;
}

/**
 * The part of a block that transforms each position separately, with the same two layers for all.
 *
 *   f(x·W₁ + b₁)·W₂ + b₂                      f: GELU (exact or tanh approximation) or ReLU²
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

  /** @param place.writes as in `outputStd` */
  constructor(
    context: Context,
    config: BlockConfig,
    { writes }: { readonly writes: number },
    random: Random,
  ) {
    const { dModel, bias } = config;
    const hidden = hiddenSize(config);
    const inner = () => new Linear(context, { inputs: dModel, outputs: hidden, bias }, random, INIT_STD);
    this.gate = config.activation === "swiglu" ? inner() : null;
    this.up = inner();
    const std = outputStd(config, writes);
    this.down = new Linear(context, { inputs: hidden, outputs: dModel, bias }, random, std);
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
      // gelu(up(x)), fused.
      case "gelu":
        return linearGelu(x, up.weight, up.bias, "exact");
      case "gelu-tanh":
        return linearGelu(x, up.weight, up.bias, "tanh");
    }
  }
}
