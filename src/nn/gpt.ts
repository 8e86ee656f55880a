/**
 * The model: GPT-2's decoder (Radford et al. 2019), on one page.
 *
 *   x      = tokenEmbedding[tokens] + positionEmbedding[0 … T−1]
 *   x     += pairEmbedding[(token before, token)]                    with `bigram`
 *   x      = block(x)                                                for each layer
 *   logits = finalNorm(x)·W_head
 *
 * Row t of the logits scores what token t+1 is, from tokens 0 … t and no other.
 */
import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { add } from "../ops/add.ts";
import { dropout } from "../ops/dropout.ts";
import { embedding } from "../ops/embedding.ts";
import { linear } from "../ops/linear.ts";
import type { Random } from "../random.ts";
import { Block } from "./block.ts";
import { checkModelConfig, type GPTConfig } from "./config.ts";
import { normalValues, WEIGHT_DEVIATION } from "./initialize.ts";
import { KeyValueCache } from "./key-value-cache.ts";
import { LayerNorm } from "./layer-norm.ts";
import { Linear } from "./linear.ts";
import { named, type Parameters } from "./parameters.ts";
import { type Pass, PLAIN_PASS } from "./pass.ts";
import { checkPlaces, placesOf } from "./places.ts";
import { positionsOf, rowsOf, type Tokens } from "./tokens.ts";

export type { Tokens } from "./tokens.ts";

export class GPT {
  readonly context: Context;
  readonly config: GPTConfig;
  readonly tokenEmbedding: Tensor;
  readonly positionEmbedding: Tensor;
  /** One row for each pair (before, token), and for each token that nothing comes before; null without. */
  readonly pairEmbedding: Tensor | null;
  readonly blocks: readonly Block[];
  readonly finalNorm: LayerNorm;
  /** null when the head is tied to the token embedding. */
  readonly head: Linear | null;

  /** @throws ConfigError when the sizes do not fit together */
  constructor(context: Context, config: GPTConfig, random: Random) {
    checkModelConfig(config);
    const { vocabSize, contextLength, dModel, layers, bias } = config;
    const table = (rows: number) =>
      context.parameter([rows, dModel], normalValues(rows * dModel, random, WEIGHT_DEVIATION));
    this.context = context;
    this.config = config;
    this.tokenEmbedding = table(vocabSize);
    this.positionEmbedding = table(contextLength);
    this.pairEmbedding = config.bigram ? table((vocabSize + 1) * vocabSize) : null;
    this.blocks = Array.from({ length: layers }, (_, layer) => {
      return new Block(context, config, { layer, mask: "causal", cross: false }, random);
    });
    this.finalNorm = new LayerNorm(context, { channels: dModel, bias });
    const headSizes = { inputs: dModel, outputs: vocabSize, bias: false };
    this.head = config.tieHead ? null : new Linear(context, headSizes, random, WEIGHT_DEVIATION);
  }

  /** Logits (B, T, V) for tokens (B, T). */
  forward(tokens: Tokens, pass: Pass = PLAIN_PASS): Tensor {
    return this.logits(this.hidden(tokens, pass));
  }

  /**
   * What the head reads: (B, T, C) for tokens (B, T). With a cache, the tokens are those that follow it, and each of
   * its rows grows by as many as are the row's own. At padding, the numbers mean nothing.
   *
   * @throws ShapeError when a sequence is longer than the context, or the padding does not fit the rows
   */
  hidden(tokens: Tokens, pass: Pass = PLAIN_PASS): Tensor {
    let x = this.embed(tokens, pass);
    for (const block of this.blocks) x = block.forward(x, { ...pass, padding: tokens.padding });
    pass.cache?.advance(tokens);
    return this.finalNorm.forward(x);
  }

  /** What the first block reads: tokens (B, T) and their places as channels (B, T, C). Throws as `hidden` does. */
  embed(tokens: Tokens, pass: Pass = PLAIN_PASS): Tensor {
    checkPlaces("gpt", tokens, pass.cache, this.config.contextLength);
    const { ids, batchSize } = tokens;
    const token = embedding(this.tokenEmbedding, ids, [batchSize, positionsOf(tokens)]);
    const places = placesOf(this.positionEmbedding, tokens, pass.cache);
    const embedded = add(this.#withPairs(token, tokens, pass), places);
    return dropout(embedded, this.config.dropout, pass.random);
  }

  /** Adds the embeddings of pairs, where the model has them: what came just before is known without attention. */
  #withPairs(token: Tensor, tokens: Tokens, { cache }: Pass): Tensor {
    if (this.pairEmbedding === null) return token;
    const { vocabSize } = this.config;
    const { ids, batchSize } = tokens;
    const positions = positionsOf(tokens);
    const { starts } = rowsOf(tokens);
    const pairs = Int32Array.from({ length: ids.length }, (_, i) => {
      const [b, t] = [Math.floor(i / positions), i % positions];
      const before = t > starts[b] ? ids[i - 1] : cache?.lastIds[b];
      return (before ?? vocabSize) * vocabSize + ids[i];
    });
    return add(token, embedding(this.pairEmbedding, pairs, [batchSize, positions]));
  }

  /** Scores for the next token: (…, C) → (…, V). */
  logits(hidden: Tensor): Tensor {
    return this.head?.forward(hidden) ?? linear(hidden, this.tokenEmbedding, null, "out-in");
  }

  /** An empty cache for generating from this model. */
  makeCache(batchSize: number): KeyValueCache {
    const { contextLength, dModel, layers } = this.config;
    return new KeyValueCache(this.context, { batchSize, capacity: contextLength, channels: dModel, layers });
  }

  /** Every trained tensor by name, in a fixed order. */
  parameters(): Parameters {
    return {
      tokenEmbedding: this.tokenEmbedding,
      positionEmbedding: this.positionEmbedding,
      ...(this.pairEmbedding === null ? {} : { pairEmbedding: this.pairEmbedding }),
      ...Object.assign(
        {},
        ...this.blocks.map((block, layer) => named(`blocks.${layer}`, block.parameters())),
      ),
      ...named("finalNorm", this.finalNorm.parameters()),
      ...(this.head === null ? {} : named("head", this.head.parameters())),
    };
  }
}
