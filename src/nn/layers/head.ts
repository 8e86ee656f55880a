import type { Tensor } from "../../autograd/tensor.ts";
import { linear } from "../../ops/linear.ts";
import { slice } from "../../ops/slice.ts";
import { softCap } from "../../ops/soft-cap.ts";
import type { Random } from "../../random.ts";
import type { ModelConfig } from "../config.ts";
import { INIT_STD } from "../initialize.ts";
import { type NamedTensors, parametersOf } from "../parameters.ts";
import { Linear } from "./linear.ts";

export interface HeadConfig extends Pick<ModelConfig, "dModel" | "tieHead"> {
  /** How many tokens are scored: the first rows of the token embedding. [MASK] and [start] are never predicted. */
  readonly scores: number;
  /** Logits are soft-capped to −logitCap … logitCap; 0 is no cap. */
  readonly logitCap: number;
}

/** Logits from hidden states: x·W, where W is the token embedding's transpose if the head is tied. */
export class Head {
  readonly #tokenEmbedding: Tensor;
  readonly #scores: number;
  readonly #logitCap: number;
  /** null if tied. */
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

  parameters(): NamedTensors {
    return parametersOf({ head: this.#untied });
  }

  #tiedWeight(): Tensor {
    const rows = this.#tokenEmbedding.shape[0];
    return this.#scores === rows ? this.#tokenEmbedding : slice(this.#tokenEmbedding, 0, 0, this.#scores);
  }
}
