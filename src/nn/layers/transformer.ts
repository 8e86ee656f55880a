import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { Random } from "../../random.ts";
import type { ModelConfig } from "../config.ts";
import type { BlockOptions } from "../inputs/forward-options.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";
import { Block } from "./block.ts";
import { Norm } from "./norm.ts";

/**
 * The blocks and the norm after them: everything between embeddings and head. A GPT and an encoder have one each, an
 * encoder–decoder has two. Their masks, which make the difference, are options of each forward pass.
 */
export class Transformer {
  readonly blocks: readonly Block[];
  readonly finalNorm: Norm;

  /** @param kind.cross whether the blocks also attend to an encoder's output */
  constructor(context: Context, config: ModelConfig, { cross }: { readonly cross: boolean }, random: Random) {
    this.blocks = Array.from({ length: config.layers }, (_, layer) => {
      return new Block(context, config, { layer, cross }, random);
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
