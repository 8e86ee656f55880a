import type { Tensor } from "../../autograd/tensor.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { linearCrossEntropy } from "../../ops/fused/linear-cross-entropy.ts";
import { linear } from "../../ops/linear.ts";
import { slice } from "../../ops/slice.ts";
import { softCap } from "../../ops/soft-cap.ts";
import type { Random } from "../../random.ts";
import type { ModelConfig } from "../config.ts";
import { INIT_STD } from "../initialize.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";
import { Linear } from "./linear.ts";

export interface HeadConfig extends Pick<ModelConfig, "dModel" | "tieHead"> {
  /**
   * The number of tokens that are scored: the first rows of the token embedding. [MASK] and [start] are never
   * predicted.
   */
  readonly scores: number;
  /** Logits are soft-capped to −logitCap … logitCap; 0 means no cap. */
  readonly logitCap: number;
}

/** The number of logits that a loss may hold at a time: 64 MiB. */
export const MOST_LOGITS = 2 ** 24;

/** Logits from hidden states: x·W. If the head is tied, W is the transposed token embedding. */
export class Head {
  readonly #tokenEmbedding: Tensor;
  readonly #scores: number;
  readonly #logitCap: number;
  /** null if the head is tied. */
  readonly #untied: Linear | null;

  constructor(tokenEmbedding: Tensor, config: HeadConfig, random: Random) {
    const { dModel, tieHead, scores, logitCap } = config;
    const sizes = { inputs: dModel, outputs: scores, bias: false };
    this.#tokenEmbedding = tokenEmbedding;
    this.#scores = scores;
    this.#logitCap = logitCap;
    this.#untied = tieHead ? null : new Linear(tokenEmbedding.context, sizes, random, INIT_STD);
  }

  /** (…, C) → (…, scores) */
  forward(hidden: Tensor): Tensor {
    const logits = this.#untied?.forward(hidden) ?? linear(hidden, this.#tiedWeight(), null, "out-in");
    return this.#logitCap === 0 ? logits : softCap(logits, this.#logitCap);
  }

  /**
   * The mean cross-entropy of the logits, in nats: crossEntropy(forward(hidden), targets). Logits that would take much
   * memory are computed for some rows at a time.
   *
   * @param hidden  (…, C)
   * @param targets as in `crossEntropy`
   * @returns       ()
   */
  loss(hidden: Tensor, targets: ArrayLike<number>): Tensor {
    const chunks = Math.ceil((targets.length * this.#scores) / MOST_LOGITS);
    if (chunks <= 1) return crossEntropy(this.forward(hidden), targets);
    const [weight, layout] =
      this.#untied === null
        ? [this.#tiedWeight(), "out-in" as const]
        : [this.#untied.weight, "in-out" as const];
    const chunkRows = Math.ceil(targets.length / chunks);
    return linearCrossEntropy(hidden, weight, targets, { layout, cap: this.#logitCap, chunkRows });
  }

  parameters(): NamedTensors {
    return parametersOf({ head: this.#untied });
  }

  #tiedWeight(): Tensor {
    const rows = this.#tokenEmbedding.shape[0];
    return this.#scores === rows ? this.#tokenEmbedding : slice(this.#tokenEmbedding, 0, 0, this.#scores);
  }
}
