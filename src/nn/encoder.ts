/**
 * An encoder: GPT's blocks without the causal mask (BERT, Devlin et al. 2019). Every position sees all of them, so it
 * cannot be asked what comes next: it would only have to look. It is asked what was hidden instead.
 *
 *   x      = tokenEmbedding[tokens] + positionEmbedding[0 … T−1]     tokens in 0 … V, where V is [MASK]
 *   x      = block(x)                                                for each layer, nothing masked but padding
 *   logits = finalNorm(x)·W_head
 *
 * Row t of the logits scores what stands at position t, from all that stands around it.
 */
import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import { embedding } from "../ops/embedding.ts";
import type { Random } from "../random.ts";
import { checkModelConfig, type ModelConfig } from "./config.ts";
import { INIT_STD, normalValues } from "./initialize.ts";
import { type ForwardOptions, INFERENCE } from "./inputs/forward-options.ts";
import { positionsOf, type TokenBatch } from "./inputs/token-batch.ts";
import { Head } from "./layers/head.ts";
import { Transformer } from "./layers/transformer.ts";
import type { NamedTensors } from "./parameters.ts";

export class Encoder {
  readonly context: Context;
  readonly config: ModelConfig;
  /** One row for each token, and a last one for [MASK]. */
  readonly tokenEmbedding: Tensor;
  readonly stack: Transformer;
  readonly head: Head;

  /** @throws ConfigError when the sizes do not fit together */
  constructor(context: Context, config: ModelConfig, random: Random) {
    checkModelConfig(config);
    const { vocabSize, dModel } = config;
    const rows = normalValues((vocabSize + 1) * dModel, random, INIT_STD);
    this.context = context;
    this.config = config;
    this.tokenEmbedding = context.parameter([vocabSize + 1, dModel], rows);
    this.stack = new Transformer(context, config, { name: "encoder", mask: "none", cross: false }, random);
    this.head = new Head(this.tokenEmbedding, { ...config, scores: vocabSize }, random);
  }

  /** The id that stands where a token is hidden. */
  get maskId(): number {
    return this.config.vocabSize;
  }

  /**
   * Logits (B, T, V) for tokens (B, T).
   *
   * @throws ShapeError when a sequence is longer than the context, or the padding does not fit the rows
   */
  forward(
    tokens: TokenBatch,
    { random, maskMatrix, inputProbe }: Omit<ForwardOptions, "cache"> = INFERENCE,
  ): Tensor {
    // What stands at a position depends on what comes after it: there is nothing that a cache could keep.
    const pass = { cache: null, random, maskMatrix, inputProbe };
    this.stack.check(tokens, pass);
    const embedded = embedding(this.tokenEmbedding, tokens.ids, [tokens.batchSize, positionsOf(tokens)]);
    return this.head.forward(this.stack.forward(embedded, tokens, pass));
  }

  /** Every trained tensor by name, in a fixed order. */
  parameters(): NamedTensors {
    return {
      tokenEmbedding: this.tokenEmbedding,
      ...this.stack.parameters(),
      ...this.head.parameters(),
    };
  }
}
