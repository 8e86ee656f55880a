/** A training objective: the batch of each step, and the loss of the model on it. */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { NamedTensors } from "../../nn/parameters.ts";
import type { Random } from "../../random.ts";

/** A model with trainable parameters. */
export interface Trainable {
  readonly context: Context;
  parameters(): NamedTensors;
}

export interface Objective {
  /** Number of tokens that the model reads in a batch. */
  readonly tokensPerBatch: number;
  /**
   * The mean loss over one batch, in nats per target token. The batch is a function of seed, step and part alone, so a
   * resumed run needs no cursor.
   *
   * @param step   the update that the batch belongs to
   * @param part   index of the batch within the update (gradient accumulation)
   * @param random the source of dropout; null for no dropout
   * @returns      (), inside the open scope
   */
  loss(step: number, part: number, random: Random | null): Tensor;
  /** Describes that batch, for messages. */
  batchInWords(step: number, part: number): string;
}
