import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import { add } from "../../ops/add.ts";
import { dropout } from "../../ops/dropout.ts";
import { embedding } from "../../ops/embedding.ts";
import type { Random } from "../../random.ts";
import type { ModelConfig } from "../config.ts";
import { INIT_STD, normalValues } from "../initialize.ts";
import type { ForwardOptions } from "../inputs/forward-options.ts";
import { positionsOf, type TokenBatch } from "../inputs/token-batch.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";
import { bigramRows, countBigramRows } from "./bigram-embedding.ts";
import { Positions } from "./positions.ts";

/** The input of the first block: token embeddings, plus positions, plus bigrams, then dropout. */
export class Embeddings {
  /** (V, C). Not among the parameters here: it may be shared with a head, or with a second sequence. */
  readonly token: Tensor;
  readonly positions: Positions;
  /** (see countBigramRows, C); null without bigrams. */
  readonly bigram: Tensor | null;
  readonly #config: ModelConfig;

  /**
   * @param token  the token embedding (V, C)
   * @param bigram whether each token is also embedded together with the one before it
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
    this.bigram = bigram
      ? context.parameter([rows, dModel], normalValues(rows * dModel, random, INIT_STD))
      : null;
    this.#config = config;
  }

  /** Tokens (B, T) → (B, T, C). With a cache, the tokens continue its sequences. */
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
