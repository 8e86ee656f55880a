/** The training objective: selects the batch of each step and computes its loss. */
import type { Context } from "../../autograd/context.ts";
import type { Tensor } from "../../autograd/tensor.ts";
import type { NamedTensors } from "../../nn/parameters.ts";
import type { Random } from "../../random.ts";

/** Anything with parameters to train. */
export interface Trainable {
  readonly context: Context;
  parameters(): NamedTensors;
}

export interface Objective {
  /** The number of tokens in a batch, on average. */
  readonly tokensPerBatch: number;
  /** The number of targets in one batch: its weight among the batches of its step. The arguments are those of `loss`. */
  targetCount(step: number, part: number): number;
  /**
   * The mean loss over one batch, in nats per target. The batch is a function of the run's seed, the step and
   * the part alone, so a resumed run needs no cursor.
   *
   * @param step   the index of the update
   * @param part   the index of the batch within that update (gradient accumulation)
   * @param random source of the dropout keys; null to disable dropout
   * @returns      (), in the open scope
   */
  loss(step: number, part: number, random: Random | null): Tensor;
  /** A description of that batch, for messages. */
  describeBatch(step: number, part: number): string;
}
