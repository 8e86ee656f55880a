import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { linear } from "../../ops/linear.ts";
import type { Random } from "../../random.ts";
import { normal } from "../initialize.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";

/** y = x·W + b over the channels. The weight is (in, out), as in the textbook. */
export class Linear {
  readonly weight: Tensor;
  readonly bias: Tensor | null;

  /** The weight is drawn from N(0, std²); the bias starts at 0. */
  constructor(
    context: Context,
    sizes: { readonly inputs: number; readonly outputs: number; readonly bias: boolean },
    random: Random,
    std: number,
  ) {
    const { inputs, outputs } = sizes;
    this.weight = context.parameter([inputs, outputs], normal(random, std));
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
