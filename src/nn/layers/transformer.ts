import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { recompute } from "../../ops/recompute.ts";
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
  /** Whether backward computes each block again from its input. */
  readonly #checkpoints: boolean;

  /** @param kind.cross whether the blocks also attend to an encoder's output */
  constructor(context: Context, config: ModelConfig, { cross }: { readonly cross: boolean }, random: Random) {
    this.blocks = Array.from({ length: config.layers }, (_, layer) => {
      return new Block(context, config, { layer, cross }, random);
    });
    this.finalNorm = new Norm(context, config);
    this.#checkpoints = config.checkpointActivations;
  }

  /** (B, T, C) → (B, T, C), or (B, 1, C) with `lastOnly`. Values at padding positions are meaningless. */
  forward(x: Tensor, options: BlockOptions): Tensor {
    const temporaries = x.context.temporaries();
    for (const block of this.blocks) {
      // All positions of a block's output are keys of the next one.
      const lastOnly = options.lastOnly && block === this.blocks.at(-1);
      x = temporaries.freeAllBut(this.#through(block, x, { ...options, lastOnly }));
    }
    return this.finalNorm.forward(x);
  }

  #through(block: Block, x: Tensor, options: BlockOptions): Tensor {
    if (!this.#checkpoints) return block.forward(x, options);
    return recompute(x, options.random, (random) => block.forward(x, { ...options, random }));
  }

  parameters(): NamedTensors {
    return parametersOf({ blocks: this.blocks, finalNorm: this.finalNorm });
  }
}
