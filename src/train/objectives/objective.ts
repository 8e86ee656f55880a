/** What a run learns: which batch a step is made of, and how far the model is from right on it. */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { NamedTensors } from "../../nn/parameters.ts";
import type { Random } from "../../random.ts";

/** Anything with weights that a gradient can move. */
export interface Trainable {
  readonly context: Context;
  parameters(): NamedTensors;
}

export interface Objective {
  /** Tokens that a batch shows to the model. */
  readonly tokensPerBatch: number;
  /**
   * Mean nats per token that the model was asked for, over one batch. The batch is a function of the run's seed,
   * the step and the part alone, so a run that resumes needs no cursor.
   *
   * @param step   the update that the batch is for
   * @param part   which of the batches whose gradients that update adds up
   * @param random gives the keys of dropout; null where nothing is dropped
   * @returns      (), inside the open scope
   */
  loss(step: number, part: number, random: Random | null): Tensor;
  /** What that batch is made of, for messages. */
  batchInWords(step: number, part: number): string;
}
