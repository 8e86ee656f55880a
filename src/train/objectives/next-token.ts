import type { Tensor } from "../../autograd/tensor.ts";
import type { TokenIds } from "../../data/token-source.ts";
import { type WindowConfig, WindowLoader } from "../../data/window-loader.ts";
import type { GPT } from "../../nn/gpt.ts";
import type { Random } from "../../random.ts";
import { checkTypes } from "../../util/check-types.ts";
import type { Objective } from "./objective.ts";

/**
 * Next-token prediction for GPT, with teacher forcing: in one pass, every position of every window predicts its next
 * token from the true tokens before it.
 *
 * @example
 * const objective = new NextToken(model, train, { contextLength: 64, batchSize: 12, seed: 1337 });
 */
export class NextToken implements Objective {
  readonly tokensPerBatch: number;
  readonly #model: GPT;
  readonly #loader: WindowLoader;

  /**
   * @param ids the training split
   * @throws DataError if the split is shorter than a window
   */
  constructor(model: GPT, ids: TokenIds, size: WindowConfig) {
    checkTypes("NextToken", { model, ids, size }, { model: ["loss"], ids: ["length"], size: "object" });
    this.tokensPerBatch = size.batchSize * size.contextLength;
    this.#model = model;
    this.#loader = new WindowLoader(ids, size);
  }

  targetCount(): number {
    return this.tokensPerBatch;
  }

  loss(step: number, part: number, random: Random | null): Tensor {
    const { inputs, targets, batchSize } = this.#loader.batch(step, part);
    return this.#model.loss({ ids: inputs, batchSize }, targets, { cache: null, random });
  }

  describeBatch(step: number, part: number): string {
    return this.#loader.describeBatch(step, part);
  }
}
