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
import { KeyValueCache, type LayerKeysAndValues } from "./inference/kv-cache.ts";
import { normalValues, WEIGHT_DEVIATION } from "./initialize.ts";
import { type Memory, type Pass, PLAIN_PASS } from "./inputs/forward-options.ts";
import { positionsOf, type Tokens } from "./inputs/token-batch.ts";
import { Head } from "./layers/head.ts";
import { Stack } from "./layers/transformer.ts";
import { named, type Parameters } from "./parameters.ts";

export class EncoderDecoder {
  readonly context: Context;
  readonly config: ModelConfig;
  /** One row for each token, then one for [end] and one for [start]. */
  readonly tokenEmbedding: Tensor;
  readonly encoder: Stack;
  readonly decoder: Stack;
  readonly head: Head;

  /**
   * @param config `layers` in each stack; `contextLength` for the source, and for [start] and the answer
   * @throws ConfigError when the sizes do not fit together
   */
  constructor(context: Context, config: ModelConfig, random: Random) {
    checkModelConfig(config);
    const { vocabSize, dModel } = config;
    const rows = normalValues((vocabSize + 2) * dModel, random, WEIGHT_DEVIATION);
    this.context = context;
    this.config = config;
    this.tokenEmbedding = context.parameter([vocabSize + 2, dModel], rows);
    this.encoder = new Stack(context, config, { name: "encoder", mask: "none", cross: false }, random);
    this.decoder = new Stack(context, config, { name: "decoder", mask: "causal", cross: true }, random);
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
  forward(source: Tokens, tokens: Tokens, pass: Pass = PLAIN_PASS): Tensor {
    return this.decode(tokens, { ...pass, memory: this.encode(source, pass) });
  }

  /** Reads a source: states (B, S, C), for cross-attention. */
  encode(source: Tokens, { random }: Pick<Pass, "random"> = PLAIN_PASS): Memory {
    const pass = { cache: null, random };
    this.encoder.check(source, pass);
    const states = this.encoder.forward(this.#embed(source), source, pass);
    return { states, padding: source.padding };
  }

  /** The same memory with the keys and values that each block of the decoder reads in it: computed once, not at every token. */
  projected(memory: Memory): Memory {
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
  decode(tokens: Tokens, pass: Pass & { readonly memory: Memory }): Tensor {
    const [sources] = pass.memory.states.shape;
    if (sources !== tokens.batchSize) {
      throw new ShapeError(`decoder: needs a source for each of ${tokens.batchSize} rows: got ${sources}`);
    }
    this.decoder.check(tokens, pass);
    return this.head.forward(this.decoder.forward(this.#embed(tokens), tokens, pass));
  }

  /** An empty cache for the decoder. */
  makeCache(batchSize: number): KeyValueCache {
    const { contextLength, dModel, layers } = this.config;
    return new KeyValueCache(this.context, { batchSize, capacity: contextLength, channels: dModel, layers });
  }

  /** Every trained tensor by name, in a fixed order. */
  parameters(): Parameters {
    return {
      tokenEmbedding: this.tokenEmbedding,
      ...named("encoder", this.encoder.parameters()),
      ...named("decoder", this.decoder.parameters()),
      ...this.head.parameters(),
    };
  }

  #embed(tokens: Tokens): Tensor {
    return embedding(this.tokenEmbedding, tokens.ids, [tokens.batchSize, positionsOf(tokens)]);
  }
}
