import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { add } from "../../ops/add.ts";
import { dropout } from "../../ops/dropout.ts";
import type { Random } from "../../random.ts";
import type { ModelConfig } from "../config.ts";
import type { ForwardOptions } from "../inputs/forward-options.ts";
import type { TokenBatch } from "../inputs/token-batch.ts";
import { type NamedTensors, named } from "../parameters.ts";
import { Block, type BlockKind } from "./block.ts";
import { Norm } from "./norm.ts";
import { checkPlaces, Positions } from "./positions.ts";
import { throughBlocks } from "./residual.ts";

/**
 * What stands between a token embedding and a head: places, blocks, a last norm. An encoder is one stack without a
 * causal mask; an encoder–decoder is two, the second causal and looking at the first.
 */
export class Transformer {
  readonly positions: Positions;
  readonly blocks: readonly Block[];
  readonly finalNorm: Norm;
  readonly #config: ModelConfig;
  readonly #name: string;

  /** @param name what errors call it */
  constructor(
    context: Context,
    config: ModelConfig,
    { name, ...kind }: Omit<BlockKind, "layer"> & { readonly name: string },
    random: Random,
  ) {
    this.positions = new Positions(context, config, random);
    this.blocks = Array.from({ length: config.layers }, (_, layer) => {
      return new Block(context, config, { layer, ...kind }, random);
    });
    this.finalNorm = new Norm(context, config);
    this.#config = config;
    this.#name = name;
  }

  /**
   * States (B, T, C) of tokens whose embeddings are `embedded` (B, T, C). At padding, the numbers mean nothing.
   *
   * @throws ShapeError when a sequence is longer than the context, or the padding does not fit the rows
   */
  forward(embedded: Tensor, tokens: TokenBatch, pass: ForwardOptions): Tensor {
    const rotation = this.positions.rotation(tokens, pass.cache);
    let x = dropout(this.positions.addTo(embedded, tokens, pass.cache), this.#config.dropout, pass.random);
    if (pass.inputProbe !== undefined) x = add(x, pass.inputProbe);
    const inner = { ...pass, padding: tokens.padding, rotation };
    const stream = throughBlocks(this.blocks, x, inner);
    pass.cache?.advance(tokens);
    return this.finalNorm.read(stream).normed;
  }

  /** To be called before anything is embedded; see `forward`. */
  check(tokens: TokenBatch, { cache }: ForwardOptions): void {
    checkPlaces(this.#name, tokens, cache, this.#config.contextLength);
  }

  parameters(): NamedTensors {
    return {
      ...this.positions.parameters(),
      ...Object.assign(
        {},
        ...this.blocks.map((block, layer) => named(`blocks.${layer}`, block.parameters())),
      ),
      ...named("finalNorm", this.finalNorm.parameters()),
    };
  }
}
