/**
 * GPT's objective, with teacher forcing: in one pass, every position of every window predicts its next token from the
 * true tokens before it.
 */
import type { Tensor } from "../../autograd/tensor.ts";
import type { TokenIds } from "../../data/token-source.ts";
import { type WindowConfig, WindowLoader } from "../../data/window-loader.ts";
import type { GPT } from "../../nn/gpt.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import type { Random } from "../../random.ts";
import type { Objective } from "./objective.ts";

export class NextToken implements Objective {
  readonly tokensPerBatch: number;
  readonly #model: GPT;
  readonly #loader: WindowLoader;

  /**
   * @param ids the training split
   * @throws DataError when no window fits
   */
  constructor(model: GPT, ids: TokenIds, size: WindowConfig) {
    this.tokensPerBatch = size.batchSize * size.contextLength;
    this.#model = model;
    this.#loader = new WindowLoader(ids, size);
  }

  loss(step: number, part: number, random: Random | null): Tensor {
    const { inputs, targets, batchSize } = this.#loader.batch(step, part);
    const logits = this.#model.forward({ ids: inputs, batchSize }, { cache: null, random });
    return crossEntropy(logits, targets);
  }

  batchInWords(step: number, part: number): string {
    return this.#loader.batchInWords(step, part);
  }
}
