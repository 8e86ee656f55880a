/**
 * The model: GPT-2's decoder (Radford et al. 2019).
 *
 *   x      = tokenEmbedding[tokens] + positionEmbedding[0 … T−1]     (embeddings)
 *   x      = x + attention(norm(x))                                  (transformer: for each block)
 *   x      = x + mlp(norm(x))
 *   logits = norm(x)·W_head                                          (head)
 *
 * Row t of the logits scores token t+1, given tokens 0 … t only.
 */

import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { Random } from "../random.ts";
import { checkTypes } from "../util/check-types.ts";
import { checkGPTConfig, type GPTConfig, kvChannelsOf } from "./config.ts";
import { decode } from "./inference/captured-decode.ts";
import { KVCache } from "./inference/kv-cache.ts";
import { INIT_STD, normal } from "./initialize.ts";
import { blockOptions } from "./inputs/block-options.ts";
import { type ForwardOptions, INFERENCE } from "./inputs/forward-options.ts";
import { checkSequences, type TokenBatch } from "./inputs/token-batch.ts";
import { Embeddings } from "./layers/embeddings.ts";
import { Head } from "./layers/head.ts";
import { Transformer } from "./layers/transformer.ts";
import { type NamedTensors, parametersOf } from "./parameters.ts";

export type { TokenBatch } from "./inputs/token-batch.ts";

/**
 * A GPT with random weights.
 *
 * @example
 *   const model = new GPT(context, config, Random.of(1));
 *   const logits = model.forward({ ids: [3, 1, 4], batchSize: 1 }); // (1, 3, V), inside a scope
 */
export class GPT {
  readonly context: Context;
  readonly config: GPTConfig;
  /** (V, C) */
  readonly tokenEmbedding: Tensor;
  readonly embeddings: Embeddings;
  readonly transformer: Transformer;
  readonly head: Head;

  /** @throws ConfigError if the sizes do not fit together */
  constructor(context: Context, config: GPTConfig, random: Random) {
    checkTypes("GPT", { context, random }, { context: ["parameter"], random: ["fillNormal"] });
    checkGPTConfig(config);
    const { vocabSize, dModel, bigram } = config;
    this.context = context;
    this.config = config;
    this.tokenEmbedding = context.parameter([vocabSize, dModel], normal(random, INIT_STD));
    this.embeddings = new Embeddings(context, config, { token: this.tokenEmbedding, bigram }, random);
    this.transformer = new Transformer(context, config, { cross: false }, random);
    this.head = new Head(this.tokenEmbedding, { ...config, scores: vocabSize }, random);
  }

  /**
   * Logits for tokens (B, T). With a cache, the tokens continue the cached sequences. Logits at padding are
   * meaningless.
   *
   * @returns (B, T, V), or (B, 1, V) with `lastOnly`
   * @throws ShapeError if a sequence is longer than the context, or the batch is malformed
   */
  forward(tokens: TokenBatch, options: ForwardOptions = INFERENCE): Tensor {
    return this.head.forward(this.hidden(tokens, options));
  }

  /**
   * The mean cross-entropy of the logits with these targets, one for each token. Like
   * `crossEntropy(model.forward(tokens), targets)`, with less memory if the vocabulary is large.
   *
   * @returns () in nats
   * @throws ShapeError as `forward`, or if there is not one target for each token
   */
  loss(tokens: TokenBatch, targets: ArrayLike<number>, options: ForwardOptions = INFERENCE): Tensor {
    return this.head.loss(this.hidden(tokens, options), targets);
  }

  /** What the head reads for tokens (B, T): (B, T, C), or (B, 1, C) with `lastOnly`. */
  hidden(tokens: TokenBatch, options: ForwardOptions = INFERENCE): Tensor {
    const { cache } = options;
    checkSequences("gpt", tokens, cache === null ? [] : cache.lengths, this.config.contextLength);
    const { positions } = this.embeddings;
    let x = this.embeddings.forward(tokens, options);
    x = this.transformer.forward(x, blockOptions(tokens, options, { mask: "causal", positions }));
    cache?.advance(tokens);
    return x;
  }

  /**
   * Like `forward` with a cache, for sampling: steps of one token per sequence are faster.
   *
   * @returns (B, T, V), or (B, 1, V) with `lastOnly`; valid until the next step
   * @throws ShapeError if the cache has no room for the tokens
   */
  decode(tokens: TokenBatch, cache: KVCache, options: Pick<ForwardOptions, "lastOnly"> = {}): Tensor {
    return decode(this, tokens, cache, options);
  }

  /** An empty cache for `batchSize` sequences of up to `capacity` tokens each. Free it when done. */
  makeCache(batchSize: number, capacity = this.config.contextLength): KVCache {
    const channels = kvChannelsOf(this.config);
    return new KVCache(this.context, { batchSize, capacity, channels, layers: this.config.layers });
  }

  /** All trained tensors by name, in a fixed order. */
  parameters(): NamedTensors {
    return parametersOf({
      tokenEmbedding: this.tokenEmbedding,
      ...this.embeddings.parameters(),
      ...this.transformer.parameters(),
      ...this.head.parameters(),
    });
  }
}
