import type { Context } from "../../autograd/context.ts";
import { ConfigError } from "../../errors.ts";
import type { Mask } from "../../ops/softmax.ts";
import type { Random } from "../../random.ts";
import type { BlockConfig } from "../config.ts";
import type { ForwardOptions } from "../inputs/forward-options.ts";
import { type NamedTensors, named } from "../parameters.ts";
import { Attention } from "./attention.ts";
import { MLP } from "./mlp.ts";
import { Norm } from "./norm.ts";
import { residual, type Stream } from "./residual.ts";

/** What sets one block of the family apart from another. */
export interface BlockKind {
  /** Which block of its stack it is, from 0. */
  readonly layer: number;
  /** "causal" makes a decoder's block, "none" an encoder's. */
  readonly mask: Mask;
  /** Whether it also looks at the states of a source. */
  readonly cross: boolean;
}

/**
 * A block: positions look at each other, as far as the mask lets them, then each thinks for itself. Every part adds
 * to the residual stream, so gradients reach each layer undimmed, and reads it through a norm (GPT-2's order). In an
 * encoder–decoder, the decoder's blocks look at the source in between.
 */
export class Block {
  readonly attentionNorm: Norm;
  readonly attention: Attention;
  /** null in blocks that do not look at a source. */
  readonly cross: { readonly norm: Norm; readonly attention: Attention } | null;
  readonly mlpNorm: Norm;
  readonly mlp: MLP;

  constructor(context: Context, config: BlockConfig, { layer, mask, cross }: BlockKind, random: Random) {
    this.attentionNorm = new Norm(context, config);
    this.attention = new Attention(context, config, layer, mask, random);
    this.cross = cross
      ? {
          norm: new Norm(context, config),
          attention: new Attention(context, config, layer, "none", random),
        }
      : null;
    this.mlpNorm = new Norm(context, config);
    this.mlp = new MLP(context, config, random);
  }

  /**
   * From what the block before left, if there was one, to what this one leaves: see `Stream`.
   *
   * @throws ConfigError when the block looks at a source and the pass brings none
   */
  forward(stream: Stream, pass: ForwardOptions): Stream {
    let y = residual(stream, this.attentionNorm, (x) => this.attention.forward(x, pass));
    if (this.cross !== null) {
      const { norm, attention } = this.cross;
      const { memory } = pass;
      if (memory === undefined) throw new ConfigError("block: cross-attention needs a source to look at");
      y = residual(y, norm, (x) => attention.cross(x, memory, pass));
    }
    return residual(y, this.mlpNorm, (x) => this.mlp.forward(x, pass));
  }

  parameters(): NamedTensors {
    return {
      ...named("attentionNorm", this.attentionNorm.parameters()),
      ...named("attention", this.attention.parameters()),
      ...(this.cross === null
        ? {}
        : {
            ...named("crossNorm", this.cross.norm.parameters()),
            ...named("cross", this.cross.attention.parameters()),
          }),
      ...named("mlpNorm", this.mlpNorm.parameters()),
      ...named("mlp", this.mlp.parameters()),
    };
  }
}
