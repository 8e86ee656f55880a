import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { ConfigError } from "../../errors.ts";
import { add } from "../../ops/add.ts";
import type { Random } from "../../random.ts";
import type { BlockConfig } from "../config.ts";
import type { BlockOptions } from "../inputs/forward-options.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";
import { Attention } from "./attention.ts";
import { lastPosition } from "./last-position.ts";
import { MLP } from "./mlp.ts";
import { Norm } from "./norm.ts";

/**
 * Self-attention mixes information across positions, then the MLP processes each position separately. Both read the residual stream
 * through a norm and add their result to it (GPT-2's order). In an encoder–decoder, the decoder's blocks attend to the
 * encoder's output in between.
 */
export class Block {
  readonly attentionNorm: Norm;
  readonly attention: Attention;
  /** null without cross-attention. */
  readonly crossNorm: Norm | null;
  readonly cross: Attention | null;
  readonly mlpNorm: Norm;
  readonly mlp: MLP;

  /**
   * @param kind.layer the index of the block, from 0
   * @param kind.cross whether the block also attends to an encoder's output
   */
  constructor(
    context: Context,
    config: BlockConfig,
    { layer, cross }: { readonly layer: number; readonly cross: boolean },
    random: Random,
  ) {
    const writes = cross ? 3 : 2;
    this.attentionNorm = new Norm(context, config);
    this.attention = new Attention(context, config, { layer, writes }, random);
    this.crossNorm = cross ? new Norm(context, config) : null;
    this.cross = cross ? new Attention(context, config, { layer, writes }, random) : null;
    this.mlpNorm = new Norm(context, config);
    this.mlp = new MLP(context, config, { writes }, random);
  }

  /**
   * (B, T, C) → (B, T, C), or (B, 1, C) with `lastOnly`
   *
   * @throws ConfigError if the block has cross-attention but the options have no encoder output
   */
  forward(x: Tensor, options: BlockOptions): Tensor {
    const read = options.lastOnly ? lastPosition(x) : x;
    x = add(read, this.attention.forward(this.attentionNorm.forward(x), options));
    if (this.cross !== null && this.crossNorm !== null) {
      const { encoderOutput } = options;
      if (encoderOutput === undefined)
        throw new ConfigError("block: cross-attention needs an encoder output");
      x = add(x, this.cross.crossForward(this.crossNorm.forward(x), encoderOutput, options));
    }
    x = add(x, this.mlp.forward(this.mlpNorm.forward(x), options));
    return x;
  }

  parameters(): NamedTensors {
    const { attentionNorm, attention, crossNorm, cross, mlpNorm, mlp } = this;
    return parametersOf({ attentionNorm, attention, crossNorm, cross, mlpNorm, mlp });
  }
}
