import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { add } from "../../ops/add.ts";
import { dropout } from "../../ops/dropout.ts";
import { embedding } from "../../ops/embedding.ts";
import type { Random } from "../../random.ts";
import type { ModelConfig } from "../config.ts";
import { INIT_STD, normal } from "../initialize.ts";
import type { ForwardOptions } from "../inputs/forward-options.ts";
import { positionsOf, type TokenBatch } from "../inputs/token-batch.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";
import { bigramRows, countBigramRows } from "./bigram-embedding.ts";
import { Positions } from "./positions.ts";

/**
 * The input of the first block: token embeddings plus position and bigram embeddings, if the model has them, then
 * dropout.
 */
export class Embeddings {
  /** (V, C). Not in `parameters()`, because a head or a second sequence may share it. */
  readonly token: Tensor;
  readonly positions: Positions;
  /** (R, C), where R is `countBigramRows`; null without bigrams. */
  readonly bigram: Tensor | null;
  readonly #config: ModelConfig;

  /**
   * @param token  the token embedding (V, C)
   * @param bigram whether each position also gets an embedding of its token together with the previous one
   */
  constructor(
    context: Context,
    config: ModelConfig,
    { token, bigram }: { readonly token: Tensor; readonly bigram: boolean },
    random: Random,
  ) {
    const { vocabSize, dModel } = config;
    this.token = token;
    this.positions = new Positions(context, config, random);
    const rows = countBigramRows(vocabSize);
    this.bigram = bigram ? context.parameter([rows, dModel], normal(random, INIT_STD)) : null;
    this.#config = config;
  }

  /** Tokens (B, T) → (B, T, C). With a cache, the tokens continue the cached sequences. */
  forward(tokens: TokenBatch, { cache, random, inputProbe }: ForwardOptions): Tensor {
    const shape = [tokens.batchSize, positionsOf(tokens)];
    let x = embedding(this.token, tokens.ids, shape);
    if (this.bigram !== null) {
      const rows = bigramRows(tokens, cache === null ? [] : cache.lastIds, this.#config.vocabSize);
      x = add(x, embedding(this.bigram, rows, shape));
    }
    x = this.positions.addTo(x, tokens, cache === null ? [] : cache.lengths);
    x = dropout(x, this.#config.dropout, random);
    return inputProbe === undefined ? x : add(x, inputProbe);
  }

  parameters(): NamedTensors {
    return parametersOf({ ...this.positions.parameters(), bigramEmbedding: this.bigram });
  }
}
