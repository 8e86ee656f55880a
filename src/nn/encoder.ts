/**
 * An encoder: a transformer without a causal mask (BERT, Devlin et al. 2019). Every position sees every token, so the
 * model cannot be trained to predict the next token. Instead, it predicts tokens that were replaced by [MASK].
 *
 *   x      = tokenEmbedding[tokens] + positionEmbedding[0 … T−1]     tokens in 0 … V, where V is [MASK]
 *   x      = block(x)                                                for each layer; only padding is masked
 *   logits = norm(x)·W_head
 *
 * Row t of the logits scores the token at position t, given all tokens of the sequence.
 */

import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { Random } from "../random.ts";
import { checkTypes } from "../util/check-types.ts";
import { checkModelConfig, type ModelConfig } from "./config.ts";
import { INIT_STD, normal } from "./initialize.ts";
import { blockOptions } from "./inputs/block-options.ts";
import { type ForwardOptions, INFERENCE } from "./inputs/forward-options.ts";
import { checkSequences, type TokenBatch } from "./inputs/token-batch.ts";
import { Embeddings } from "./layers/embeddings.ts";
import { Head } from "./layers/head.ts";
import { Transformer } from "./layers/transformer.ts";
import { type NamedTensors, parametersOf } from "./parameters.ts";

type EncoderOptions = Omit<ForwardOptions, "cache" | "lastOnly">;

/**
 * An encoder with random weights.
 *
 * @example
 *   const model = new Encoder(context, config, Random.of(1));
 *   const logits = model.forward({ ids: [3, model.maskId, 4], batchSize: 1 }); // (1, 3, V), inside a scope
 */
export class Encoder {
  readonly context: Context;
  readonly config: ModelConfig;
  /** (V + 1, C): the last row is [MASK]. */
  readonly tokenEmbedding: Tensor;
  readonly embeddings: Embeddings;
  readonly transformer: Transformer;
  readonly head: Head;

  /** @throws ConfigError if the sizes do not fit together */
  constructor(context: Context, config: ModelConfig, random: Random) {
    checkTypes("Encoder", { context, random }, { context: ["parameter"], random: ["fillNormal"] });
    checkModelConfig(config);
    const { vocabSize, dModel } = config;
    this.context = context;
    this.config = config;
    this.tokenEmbedding = context.parameter([vocabSize + 1, dModel], normal(random, INIT_STD));
    this.embeddings = new Embeddings(context, config, { token: this.tokenEmbedding, bigram: false }, random);
    this.transformer = new Transformer(context, config, { cross: false }, random);
    this.head = new Head(this.tokenEmbedding, { ...config, scores: vocabSize, logitCap: 0 }, random);
  }

  /** The id of [MASK]. */
  get maskId(): number {
    return this.config.vocabSize;
  }

  /**
   * Logits (B, T, V) for tokens (B, T). There is no cache, because the states of a position depend on later tokens.
   *
   * @throws ShapeError if a sequence is longer than the context, or the batch is malformed
   */
  forward(tokens: TokenBatch, options: EncoderOptions = INFERENCE): Tensor {
    return this.head.forward(this.hidden(tokens, options));
  }

  /** The mean cross-entropy of the logits with these targets, as `GPT.loss`. */
  loss(tokens: TokenBatch, targets: ArrayLike<number>, options: EncoderOptions = INFERENCE): Tensor {
    return this.head.loss(this.hidden(tokens, options), targets);
  }

  /** What the head reads for tokens (B, T): (B, T, C). */
  hidden(tokens: TokenBatch, options: EncoderOptions = INFERENCE): Tensor {
    checkSequences("encoder", tokens, [], this.config.contextLength);
    const withoutCache = { ...options, cache: null };
    const { positions } = this.embeddings;
    const x = this.embeddings.forward(tokens, withoutCache);
    return this.transformer.forward(x, blockOptions(tokens, withoutCache, { mask: "full", positions }));
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
