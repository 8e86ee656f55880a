/**
 * An encoder–decoder (Vaswani et al. 2017; T5, Raffel et al. 2020): one stack reads a source, with no mask but
 * padding; another writes the answer, causal like GPT, and between looking back at its own words and thinking it looks
 * at the source (cross-attention).
 *
 *   memory = encoder(tokenEmbedding[source])
 *   x      = decoder(tokenEmbedding[[start], answer …], memory)
 *   logits = x·W_head
 *
 * Row t of the logits scores what token t of the answer is, from the whole source and the tokens of the answer before
 * it. One token embedding serves source, answer and, if tied, head; behind its V tokens stand [end] and [start].
 */
import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { ShapeError } from "../errors.ts";
import { embedding } from "../ops/embedding.ts";
import type { Random } from "../random.ts";
import { checkModelConfig, type ModelConfig } from "./config.ts";
import { KVCache, type LayerKeysAndValues } from "./inference/kv-cache.ts";
import { INIT_STD, normalValues } from "./initialize.ts";
import { type EncoderOutput, type ForwardOptions, INFERENCE } from "./inputs/forward-options.ts";
import { positionsOf, type TokenBatch } from "./inputs/token-batch.ts";
import { Head } from "./layers/head.ts";
import { Transformer } from "./layers/transformer.ts";
import { type NamedTensors, named } from "./parameters.ts";

export class EncoderDecoder {
  readonly context: Context;
  readonly config: ModelConfig;
  /** One row for each token, then one for [end] and one for [start]. */
  readonly tokenEmbedding: Tensor;
  readonly encoder: Transformer;
  readonly decoder: Transformer;
  readonly head: Head;

  /**
   * @param config `layers` in each stack; `contextLength` for the source, and for [start] and the answer
   * @throws ConfigError when the sizes do not fit together
   */
  constructor(context: Context, config: ModelConfig, random: Random) {
    checkModelConfig(config);
    const { vocabSize, dModel } = config;
    const rows = normalValues((vocabSize + 2) * dModel, random, INIT_STD);
    this.context = context;
    this.config = config;
    this.tokenEmbedding = context.parameter([vocabSize + 2, dModel], rows);
    this.encoder = new Transformer(context, config, { name: "encoder", mask: "none", cross: false }, random);
    this.decoder = new Transformer(context, config, { name: "decoder", mask: "causal", cross: true }, random);
    this.head = new Head(this.tokenEmbedding, { ...config, scores: vocabSize + 1 }, random);
  }

  /** Ends an answer; the last id that the head scores. */
  get endId(): number {
    return this.config.vocabSize;
  }

  /** What the decoder reads before an answer; nobody ever says it. */
  get startId(): number {
    return this.config.vocabSize + 1;
  }

  /**
   * Logits (B, T, V + 1) for what the decoder reads (B, T), after a source (B, S).
   *
   * @throws ShapeError when a sequence is longer than the context, or the padding does not fit the rows
   */
  forward(source: TokenBatch, tokens: TokenBatch, pass: ForwardOptions = INFERENCE): Tensor {
    return this.decode(tokens, { ...pass, memory: this.encode(source, pass) });
  }

  /** Reads a source: states (B, S, C), for cross-attention. */
  encode(source: TokenBatch, { random }: Pick<ForwardOptions, "random"> = INFERENCE): EncoderOutput {
    const pass = { cache: null, random };
    this.encoder.check(source, pass);
    const states = this.encoder.forward(this.#embed(source), source, pass);
    return { states, padding: source.padding };
  }

  /** The same memory with the keys and values that each block of the decoder reads in it: computed once, not at every token. */
  projected(memory: EncoderOutput): EncoderOutput {
    const projected = this.decoder.blocks.flatMap(({ cross }): LayerKeysAndValues[] => {
      return cross === null ? [] : [cross.attention.project(memory.states)];
    });
    return { ...memory, projected };
  }

  /**
   * Logits (B, T, V + 1) for what the decoder reads; with a cache, for the tokens that follow it.
   *
   * @throws ShapeError as `forward`, or when there is not one source for each row
   */
  decode(tokens: TokenBatch, pass: ForwardOptions & { readonly memory: EncoderOutput }): Tensor {
    const [sources] = pass.memory.states.shape;
    if (sources !== tokens.batchSize) {
      throw new ShapeError(`decoder: needs a source for each of ${tokens.batchSize} rows: got ${sources}`);
    }
    this.decoder.check(tokens, pass);
    return this.head.forward(this.decoder.forward(this.#embed(tokens), tokens, pass));
  }

  /** An empty cache for the decoder. */
  makeCache(batchSize: number): KVCache {
    const { contextLength, dModel, layers } = this.config;
    return new KVCache(this.context, { batchSize, capacity: contextLength, channels: dModel, layers });
  }

  /** Every trained tensor by name, in a fixed order. */
  parameters(): NamedTensors {
    return {
      tokenEmbedding: this.tokenEmbedding,
      ...named("encoder", this.encoder.parameters()),
      ...named("decoder", this.decoder.parameters()),
      ...this.head.parameters(),
    };
  }

  #embed(tokens: TokenBatch): Tensor {
    return embedding(this.tokenEmbedding, tokens.ids, [tokens.batchSize, positionsOf(tokens)]);
  }
}
