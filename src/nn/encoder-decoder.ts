/**
 * An encoder–decoder (Vaswani et al. 2017; T5, Raffel et al. 2020). The encoder reads a source; only padding is masked.
 * The decoder writes the answer: causal like GPT, with cross-attention to the encoder's output in each block.
 *
 *   states = encoder(tokenEmbedding[source])
 *   x      = decoder(tokenEmbedding[[start], answer …], states)
 *   logits = x·W_head
 *
 * Row t of the logits scores token t of the answer, given the whole source and the answer's earlier tokens. Source,
 * answer and a tied head share one token embedding, which has rows for [end] and [start] after those of the V tokens.
 */

import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import type { Random } from "../random.ts";
import { checkTypes } from "../util/check-types.ts";
import { checkModelConfig, kvChannelsOf, type ModelConfig } from "./config.ts";
import { KVCache } from "./inference/kv-cache.ts";
import { INIT_STD, normal } from "./initialize.ts";
import { blockOptions } from "./inputs/block-options.ts";
import { type EncoderOutput, type ForwardOptions, INFERENCE } from "./inputs/forward-options.ts";
import { checkSequences, type TokenBatch } from "./inputs/token-batch.ts";
import { Embeddings } from "./layers/embeddings.ts";
import { Head } from "./layers/head.ts";
import { Transformer } from "./layers/transformer.ts";
import { joined, type NamedTensors, parametersOf } from "./parameters.ts";

/**
 * An encoder–decoder with random weights.
 *
 * @example
 *   const model = new EncoderDecoder(context, config, Random.of(1));
 *   const source = { ids: [3, 1, 4], batchSize: 1 };
 *   const logits = model.forward(source, { ids: [model.startId], batchSize: 1 }); // (1, 1, V + 1), inside a scope
 */
export class EncoderDecoder {
  readonly context: Context;
  readonly config: ModelConfig;
  /** (V + 2, C): a row for each token, then [end] and [start]. */
  readonly tokenEmbedding: Tensor;
  readonly sourceEmbeddings: Embeddings;
  readonly encoder: Transformer;
  readonly answerEmbeddings: Embeddings;
  readonly decoder: Transformer;
  readonly head: Head;

  /**
   * @param config `layers` blocks each in encoder and decoder; `contextLength` limits the source, and [start] with the
   *   answer
   * @throws ConfigError if the sizes do not fit together
   */
  constructor(context: Context, config: ModelConfig, random: Random) {
    checkTypes("EncoderDecoder", { context, random }, { context: ["parameter"], random: ["fillNormal"] });
    checkModelConfig(config);
    const { vocabSize, dModel } = config;
    this.context = context;
    this.config = config;
    this.tokenEmbedding = context.parameter([vocabSize + 2, dModel], normal(random, INIT_STD));
    const shared = { token: this.tokenEmbedding, bigram: false };
    this.sourceEmbeddings = new Embeddings(context, config, shared, random);
    this.encoder = new Transformer(context, config, { cross: false }, random);
    this.answerEmbeddings = new Embeddings(context, config, shared, random);
    this.decoder = new Transformer(context, config, { cross: true }, random);
    this.head = new Head(this.tokenEmbedding, { ...config, scores: vocabSize + 1, logitCap: 0 }, random);
  }

  /** The token that ends an answer; the last one that the head scores. */
  get endId(): number {
    return this.config.vocabSize;
  }

  /** The token that precedes every answer; never predicted. */
  get startId(): number {
    return this.config.vocabSize + 1;
  }

  /**
   * Logits (B, T, V + 1) for the decoder's tokens (B, T), given a source (B, S); (B, 1, V + 1) with `lastOnly`.
   *
   * @throws ShapeError if a sequence is longer than the context, or a batch is malformed
   */
  forward(source: TokenBatch, tokens: TokenBatch, options: ForwardOptions = INFERENCE): Tensor {
    return this.decode(tokens, this.encode(source, options), options);
  }

  /** The encoder's output (B, S, C) for a source (B, S). */
  encode(source: TokenBatch, { random }: Pick<ForwardOptions, "random"> = INFERENCE): EncoderOutput {
    checkSequences("encoder", source, [], this.config.contextLength);
    const options = { cache: null, random };
    const { positions } = this.sourceEmbeddings;
    const x = this.sourceEmbeddings.forward(source, options);
    const states = this.encoder.forward(x, blockOptions(source, options, { mask: "full", positions }));
    return { states, padding: source.padding };
  }

  /** Adds the keys and values of each decoder block, so that they are computed once and not for every token. */
  project(encoderOutput: EncoderOutput): EncoderOutput {
    const projected = this.decoder.blocks.flatMap(({ cross }) => {
      return cross === null ? [] : [cross.keysAndValues(encoderOutput.states)];
    });
    return { ...encoderOutput, projected };
  }

  /**
   * Logits (B, T, V + 1) for the decoder's tokens (B, T); (B, 1, V + 1) with `lastOnly`. With a cache, the tokens
   * continue the cached sequences.
   *
   * @throws ShapeError as `forward`, or if there is not one source for each row
   */
  decode(tokens: TokenBatch, encoderOutput: EncoderOutput, options: ForwardOptions = INFERENCE): Tensor {
    const { cache } = options;
    const [sources] = encoderOutput.states.shape;
    if (sources !== tokens.batchSize) {
      throw new ShapeError(`decoder: needs a source for each of ${tokens.batchSize} rows: got ${sources}`);
    }
    checkSequences("decoder", tokens, cache === null ? [] : cache.lengths, this.config.contextLength);
    const { positions } = this.answerEmbeddings;
    const ofBlocks = blockOptions(tokens, options, { mask: "causal", positions });
    const x = this.answerEmbeddings.forward(tokens, options);
    const states = this.decoder.forward(x, { ...ofBlocks, encoderOutput });
    cache?.advance(tokens);
    return this.head.forward(states);
  }

  /** An empty decoder cache for `batchSize` sequences. Free it when done. */
  makeCache(batchSize: number): KVCache {
    const { contextLength, layers } = this.config;
    const channels = kvChannelsOf(this.config);
    return new KVCache(this.context, { batchSize, capacity: contextLength, channels, layers });
  }

  /** All trained tensors by name, in a fixed order. */
  parameters(): NamedTensors {
    return parametersOf({
      tokenEmbedding: this.tokenEmbedding,
      encoder: joined(this.sourceEmbeddings, this.encoder),
      decoder: joined(this.answerEmbeddings, this.decoder),
      ...this.head.parameters(),
    });
  }
}
