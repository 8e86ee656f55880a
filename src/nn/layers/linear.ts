import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { linear } from "../../ops/linear.ts";
import type { Random } from "../../random.ts";
import { normalValues } from "../initialize.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";

/** y = x·W + b over the channels, with the weight (in, out) as the textbook writes it. */
export class Linear {
  readonly weight: Tensor;
  readonly bias: Tensor | null;

  /** Weights are drawn from N(0, std²); biases start at 0. */
  constructor(
    context: Context,
    sizes: { readonly inputs: number; readonly outputs: number; readonly bias: boolean },
    random: Random,
    std: number,
  ) {
    const { inputs, outputs } = sizes;
    this.weight = context.parameter([inputs, outputs], normalValues(inputs * outputs, random, std));
    this.bias = sizes.bias ? context.parameter([outputs], new Float64Array(outputs)) : null;
  }

  /** (…, in) → (…, out) */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  parameters(): NamedTensors {
    return parametersOf({ weight: this.weight, bias: this.bias });
  }
}
