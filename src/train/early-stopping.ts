/**
 * Early stopping: tracks the lowest validation loss and the number of evaluations since. All evaluations must cover the
 * same tokens; the lowest of several noisy estimates would be luck.
 */
import * as z from "zod/mini";
import { parseSaved } from "../config/parse-saved.ts";

const count = z.int().check(z.minimum(0));
/** Losses are float32. */
const nats = z.number().check(z.minimum(-4e38), z.maximum(4e38));

const evaluationPoint = z.object({
  /** Number of updates made. */
  step: count,
  validationNats: nats,
  /** Mean training loss since the previous evaluation; null if there was no step. */
  trainingNats: z.nullable(nats),
});
const saved = z.object({
  /** The evaluation with the lowest validation loss; null before the first. */
  best: z.nullable(evaluationPoint),
  latest: z.nullable(evaluationPoint),
  evaluationsSinceBest: count,
  /** Number of steps since the latest evaluation, and the sum of their losses. */
  steps: count,
  lossSum: z.number().check(z.minimum(-1e60), z.maximum(1e60)),
});

/** One evaluation. */
export type EvaluationPoint = Readonly<z.infer<typeof evaluationPoint>>;
type State = Readonly<z.infer<typeof saved>>;

export class EarlyStopping {
  #state: State = { best: null, latest: null, evaluationsSinceBest: 0, steps: 0, lossSum: 0 };

  get best(): EvaluationPoint | null {
    return this.#state.best;
  }

  get latest(): EvaluationPoint | null {
    return this.#state.latest;
  }

  get evaluationsSinceBest(): number {
    return this.#state.evaluationsSinceBest;
  }

  /** Records the training loss of a step. */
  trained(lossNats: number): void {
    const { steps, lossSum } = this.#state;
    this.#state = { ...this.#state, steps: steps + 1, lossSum: lossSum + lossNats };
  }

  /** Records an evaluation. Returns whether its loss is the lowest so far; NaN never is. */
  evaluated(step: number, validationNats: number): boolean {
    const { steps, lossSum, best, evaluationsSinceBest } = this.#state;
    const latest = { step, validationNats, trainingNats: steps === 0 ? null : lossSum / steps };
    const isBest = validationNats < (best?.validationNats ?? Number.POSITIVE_INFINITY);
    this.#state = {
      best: isBest ? latest : best,
      latest,
      evaluationsSinceBest: isBest ? 0 : evaluationsSinceBest + 1,
      steps: 0,
      lossSum: 0,
    };
    return isBest;
  }

  /**
   * Replaces the loss of the best evaluation by that on another set of tokens, before evaluations on that set follow.
   *
   * @param validationNats null if the best weights cannot be evaluated again; then the next evaluation is the best
   */
  measuredAgain(validationNats: number | null): void {
    const { best, latest } = this.#state;
    const again = best === null || validationNats === null ? null : { ...best, validationNats };
    this.#state = { ...this.#state, best: again, latest: latest?.step === again?.step ? again : null };
  }

  /** Whether `patience` evaluations in a row brought no lower loss. Never if `patience` is 0. */
  isExhausted(patience: number): boolean {
    return patience > 0 && this.evaluationsSinceBest >= patience;
  }

  /** Whether the model overfits: since the best evaluation the training loss has fallen and the validation loss risen. */
  get isOverfitting(): boolean {
    const { best, latest } = this;
    if (!best?.trainingNats || !latest?.trainingNats) return false;
    return latest.trainingNats < best.trainingNats && latest.validationNats > best.validationNats;
  }

  /** The state to save in a checkpoint. */
  toJSON(): State {
    return this.#state;
  }

  /**
   * Restores a saved state; starts afresh if there is none.
   *
   * @throws CheckpointError when it is damaged
   */
  static fromJSON(json: unknown): EarlyStopping {
    const stopping = new EarlyStopping();
    stopping.#state = parseSaved(saved, json) ?? stopping.#state;
    return stopping;
  }
}
