/**
 * The model: GPT-2's decoder (Radford et al. 2019), on one page.
 *
 *   x      = tokenEmbedding[tokens] + positionEmbedding[0 … T−1]     the places where `positions` is "learned"
 *   x     += pairEmbedding[(token before, token)]                    with `bigram`
 *   x      = block(x)                                                for each layer
 *   logits = finalNorm(x)·W_head                                     pressed into ±`logitCap` where there is one
 *
 * Row t of the logits scores what token t+1 is, from tokens 0 … t and no other.
 */
import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { add } from "../ops/add.ts";
import { dropout } from "../ops/dropout.ts";
import { embedding } from "../ops/embedding.ts";
import { linear } from "../ops/linear.ts";
import { softCap } from "../ops/soft-cap.ts";
import type { Random } from "../random.ts";
import { checkGPTConfig, type GPTConfig } from "./config.ts";
import { KVCache } from "./inference/kv-cache.ts";
import { INIT_STD, normalValues } from "./initialize.ts";
import { type ForwardOptions, INFERENCE } from "./inputs/forward-options.ts";
import { positionsOf, type TokenBatch } from "./inputs/token-batch.ts";
import { bigramRows, countBigramRows } from "./layers/bigram-embedding.ts";
import { Block } from "./layers/block.ts";
import { Linear } from "./layers/linear.ts";
import { Norm } from "./layers/norm.ts";
import { checkPlaces, Positions } from "./layers/positions.ts";
import { throughBlocks } from "./layers/residual.ts";
import { type NamedTensors, named } from "./parameters.ts";

export type { TokenBatch } from "./inputs/token-batch.ts";

export class GPT {
  readonly context: Context;
  readonly config: GPTConfig;
  readonly tokenEmbedding: Tensor;
  readonly positions: Positions;
  /** Rows for pairs of neighboring tokens (see pairs.ts); null without. */
  readonly pairEmbedding: Tensor | null;
  readonly blocks: readonly Block[];
  readonly finalNorm: Norm;
  /** null when the head is tied to the token embedding. */
  readonly head: Linear | null;

  /** @throws ConfigError when the sizes do not fit together */
  constructor(context: Context, config: GPTConfig, random: Random) {
    checkGPTConfig(config);
    const { vocabSize, dModel, layers } = config;
    const table = (rows: number) =>
      context.parameter([rows, dModel], normalValues(rows * dModel, random, INIT_STD));
    this.context = context;
    this.config = config;
    this.tokenEmbedding = table(vocabSize);
    this.positions = new Positions(context, config, random);
    this.pairEmbedding = config.bigram ? table(countBigramRows(vocabSize)) : null;
    this.blocks = Array.from({ length: layers }, (_, layer) => {
      return new Block(context, config, { layer, mask: "causal", cross: false }, random);
    });
    this.finalNorm = new Norm(context, config);
    const headSizes = { inputs: dModel, outputs: vocabSize, bias: false };
    this.head = config.tieHead ? null : new Linear(context, headSizes, random, INIT_STD);
  }

  /** Logits (B, T, V) for tokens (B, T). */
  forward(tokens: TokenBatch, pass: ForwardOptions = INFERENCE): Tensor {
    return this.logits(this.hidden(tokens, pass));
  }

  /**
   * What the head reads: (B, T, C) for tokens (B, T). With a cache, the tokens are those that follow it, and each of
   * its rows grows by as many as are the row's own. At padding, the numbers mean nothing.
   *
   * @throws ShapeError when a sequence is longer than the context, or the padding does not fit the rows
   */
  hidden(tokens: TokenBatch, pass: ForwardOptions = INFERENCE): Tensor {
    const embedded = this.embed(tokens, pass);
    const blocks = (x: Tensor) => this.#throughBlocks(x, tokens, pass);
    const states = this.#isStep(tokens, pass) ? pass.cache.step(embedded, blocks) : blocks(embedded);
    pass.cache?.advance(tokens);
    return states;
  }

  #throughBlocks(x: Tensor, tokens: TokenBatch, pass: ForwardOptions): Tensor {
    const rotation = this.positions.rotation(tokens, pass.cache);
    const inner = { ...pass, padding: tokens.padding, rotation };
    return this.finalNorm.read(throughBlocks(this.blocks, x, inner)).normed;
  }

  /** Whether each row gets one token, and no part of the pass is of another shape or kind for the next. */
  #isStep(tokens: TokenBatch, pass: ForwardOptions): pass is ForwardOptions & { readonly cache: KVCache } {
    const { cache, random, maskMatrix } = pass;
    const isPlain = this.config.attention === "fused" && random === null && maskMatrix === undefined;
    return cache !== null && isPlain && tokens.padding === undefined && positionsOf(tokens) === 1;
  }

  /** What the first block reads: tokens (B, T) and their places as channels (B, T, C). Throws as `hidden` does. */
  embed(tokens: TokenBatch, pass: ForwardOptions = INFERENCE): Tensor {
    const { cache, random, inputProbe } = pass;
    checkPlaces("gpt", tokens, cache, this.config.contextLength);
    const { ids, batchSize } = tokens;
    const token = embedding(this.tokenEmbedding, ids, [batchSize, positionsOf(tokens)]);
    const embedded = this.positions.addTo(this.#withPairs(token, tokens, pass), tokens, cache);
    const x = dropout(embedded, this.config.dropout, random);
    return inputProbe === undefined ? x : add(x, inputProbe);
  }

  /** Adds the embeddings of pairs, where the model has them: what came just before is known without attention. */
  #withPairs(token: Tensor, tokens: TokenBatch, { cache }: ForwardOptions): Tensor {
    if (this.pairEmbedding === null) return token;
    const rows = bigramRows(tokens, cache?.lastIds ?? [], this.config.vocabSize);
    return add(token, embedding(this.pairEmbedding, rows, [tokens.batchSize, positionsOf(tokens)]));
  }

  /** Scores for the next token: (…, C) → (…, V). */
  logits(hidden: Tensor): Tensor {
    const { logitCap } = this.config;
    const logits = this.head?.forward(hidden) ?? linear(hidden, this.tokenEmbedding, null, "out-in");
    return logitCap === 0 ? logits : softCap(logits, logitCap);
  }

  /** An empty cache for generating from this model. */
  makeCache(batchSize: number): KVCache {
    const { contextLength, dModel, layers } = this.config;
    return new KVCache(this.context, { batchSize, capacity: contextLength, channels: dModel, layers });
  }

  /** Every trained tensor by name, in a fixed order. */
  parameters(): NamedTensors {
    return {
      tokenEmbedding: this.tokenEmbedding,
      ...this.positions.parameters(),
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
