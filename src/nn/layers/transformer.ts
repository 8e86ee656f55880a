import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { Random } from "../../random.ts";
import type { ModelConfig } from "../config.ts";
import type { BlockOptions } from "../inputs/forward-options.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";
import { Block, type BlockKind } from "./block.ts";
import { Norm } from "./norm.ts";

/**
 * The blocks and the norm after them: all that is between embeddings and head. A GPT has one with causal masks, an
 * encoder one with full masks, an encoder–decoder one of each.
 */
export class Transformer {
  readonly blocks: readonly Block[];
  readonly finalNorm: Norm;

  constructor(context: Context, config: ModelConfig, kind: BlockKind, random: Random) {
    this.blocks = Array.from({ length: config.layers }, (_, layer) => {
      return new Block(context, config, layer, kind, random);
    });
    this.finalNorm = new Norm(context, config);
  }

  /** (B, T, C) → (B, T, C). Values at padding positions are meaningless. */
  forward(x: Tensor, options: BlockOptions): Tensor {
    const temporaries = x.context.temporaries();
    for (const block of this.blocks) x = temporaries.freeAllBut(block.forward(x, options));
    return this.finalNorm.forward(x);
  }

  parameters(): NamedTensors {
    return parametersOf({ blocks: this.blocks, finalNorm: this.finalNorm });
  }
}
