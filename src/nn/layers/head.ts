import type { Tensor } from "../../autograd/tensor.ts";
import { linear } from "../../ops/linear.ts";
import { slice } from "../../ops/slice.ts";
import type { Random } from "../../random.ts";
import type { ModelConfig } from "../config.ts";
import { INIT_STD } from "../initialize.ts";
import { type NamedTensors, named } from "../parameters.ts";
import { Linear } from "./linear.ts";

/**
 * Scores for tokens. Of the token embedding's rows, only the first are ever answers: nobody says [MASK] or [start].
 * Tied, the head reads the weights of those rows; else it has its own.
 */
export class Head {
  readonly #tokenEmbedding: Tensor;
  readonly #scores: number;
  /** null when tied. */
  readonly #own: Linear | null;

  /** @param sizes.scores how many tokens are scored */
  constructor(
    tokenEmbedding: Tensor,
    sizes: Pick<ModelConfig, "dModel" | "tieHead"> & { readonly scores: number },
    random: Random,
  ) {
    const { dModel, tieHead, scores } = sizes;
    const own = { inputs: dModel, outputs: scores, bias: false };
    this.#tokenEmbedding = tokenEmbedding;
    this.#scores = scores;
    this.#own = tieHead ? null : new Linear(tokenEmbedding.context, own, random, INIT_STD);
  }

  /** (…, C) → (…, scores) */
  forward(hidden: Tensor): Tensor {
    if (this.#own !== null) return this.#own.forward(hidden);
    return linear(hidden, slice(this.#tokenEmbedding, 0, 0, this.#scores), null, "out-in");
  }

  parameters(): NamedTensors {
    return this.#own === null ? {} : named("head", this.#own.parameters());
  }
}
