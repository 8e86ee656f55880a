import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { add } from "../ops/add.ts";
import { dropout } from "../ops/dropout.ts";
import type { Random } from "../random.ts";
import { Block, type BlockKind } from "./block.ts";
import type { ModelConfig } from "./config.ts";
import { normalValues, WEIGHT_DEVIATION } from "./initialize.ts";
import { LayerNorm } from "./layer-norm.ts";
import { named, type Parameters } from "./parameters.ts";
import type { Pass } from "./pass.ts";
import { checkPlaces, placesOf } from "./places.ts";
import type { Tokens } from "./tokens.ts";

/**
 * What stands between a token embedding and a head: places, blocks, a last norm. An encoder is one stack without a
 * causal mask; an encoder–decoder is two, the second causal and looking at the first.
 */
export class Stack {
  readonly positionEmbedding: Tensor;
  readonly blocks: readonly Block[];
  readonly finalNorm: LayerNorm;
  readonly #config: ModelConfig;
  readonly #name: string;

  /** @param name what errors call it */
  constructor(
    context: Context,
    config: ModelConfig,
    { name, ...kind }: Omit<BlockKind, "layer"> & { readonly name: string },
    random: Random,
  ) {
    const { contextLength, dModel, layers, bias } = config;
    const places = normalValues(contextLength * dModel, random, WEIGHT_DEVIATION);
    this.positionEmbedding = context.parameter([contextLength, dModel], places);
    this.blocks = Array.from({ length: layers }, (_, layer) => {
      return new Block(context, config, { layer, ...kind }, random);
    });
    this.finalNorm = new LayerNorm(context, { channels: dModel, bias });
    this.#config = config;
    this.#name = name;
  }

  /**
   * States (B, T, C) of tokens whose embeddings are `embedded` (B, T, C). At padding, the numbers mean nothing.
   *
   * @throws ShapeError when a sequence is longer than the context, or the padding does not fit the rows
   */
  forward(embedded: Tensor, tokens: Tokens, pass: Pass): Tensor {
    let x = add(embedded, placesOf(this.positionEmbedding, tokens, pass.cache));
    x = dropout(x, this.#config.dropout, pass.random);
    for (const block of this.blocks) x = block.forward(x, { ...pass, padding: tokens.padding });
    pass.cache?.advance(tokens);
    return this.finalNorm.forward(x);
  }

  /** To be called before anything is embedded; see `forward`. */
  check(tokens: Tokens, { cache }: Pass): void {
    checkPlaces(this.#name, tokens, cache, this.#config.contextLength);
  }

  parameters(): Parameters {
    return {
      positionEmbedding: this.positionEmbedding,
      ...Object.assign(
        {},
        ...this.blocks.map((block, layer) => named(`blocks.${layer}`, block.parameters())),
      ),
      ...named("finalNorm", this.finalNorm.parameters()),
    };
  }
}
