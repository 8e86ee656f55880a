import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { layerNorm } from "../ops/layer-norm.ts";
import type { Parameters } from "./parameters.ts";

/** Each position's channels to mean 0 and variance 1, then a learned scale (from 1) and shift (from 0). */
export class LayerNorm {
  readonly weight: Tensor;
  readonly bias: Tensor | null;

  constructor(context: Context, sizes: { readonly channels: number; readonly bias: boolean }) {
    this.weight = context.parameter([sizes.channels], new Float64Array(sizes.channels).fill(1));
    this.bias = sizes.bias ? context.parameter([sizes.channels], new Float64Array(sizes.channels)) : null;
  }

  /** (…, C) → (…, C) */
  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias);
  }

  parameters(): Parameters {
    return this.bias === null ? { weight: this.weight } : { weight: this.weight, bias: this.bias };
  }
}
