import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { add } from "../ops/add.ts";
import type { Random } from "../random.ts";
import { Attention } from "./attention.ts";
import type { GPTConfig } from "./config.ts";
import { LayerNorm } from "./layer-norm.ts";
import { MLP } from "./mlp.ts";
import { named, type Parameters } from "./parameters.ts";
import type { Pass } from "./pass.ts";

/**
 * A decoder block: positions look at earlier ones, then each thinks for itself. Both add to the residual stream,
 * so gradients reach every layer undimmed; both read it through a norm (GPT-2's order).
 */
export class Block {
  readonly attentionNorm: LayerNorm;
  readonly attention: Attention;
  readonly mlpNorm: LayerNorm;
  readonly mlp: MLP;

  constructor(context: Context, config: GPTConfig, layer: number, random: Random) {
    const sizes = { channels: config.dModel, bias: config.bias };
    this.attentionNorm = new LayerNorm(context, sizes);
    this.attention = new Attention(context, config, layer, random);
    this.mlpNorm = new LayerNorm(context, sizes);
    this.mlp = new MLP(context, config, random);
  }

  /** (B, T, C) → (B, T, C) */
  forward(x: Tensor, pass: Pass): Tensor {
    const attended = add(x, this.attention.forward(this.attentionNorm.forward(x), pass));
    return add(attended, this.mlp.forward(this.mlpNorm.forward(attended), pass));
  }

  parameters(): Parameters {
    return {
      ...named("attentionNorm", this.attentionNorm.parameters()),
      ...named("attention", this.attention.parameters()),
      ...named("mlpNorm", this.mlpNorm.parameters()),
      ...named("mlp", this.mlp.parameters()),
    };
  }
}
