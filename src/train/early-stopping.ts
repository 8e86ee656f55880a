/**
 * Whether training still helps: the lowest validation loss so far, and how many evaluations have passed since. Every
 * evaluation must be of the same tokens, all of them: in the noise of an estimate the lowest is luck.
 */
import { z } from "zod";

const sight = z.object({
  /** Updates made so far. */
  step: z.number(),
  validationNats: z.number(),
  /** The mean loss of the steps since the evaluation before; null where there was none. */
  trainingNats: z.number().nullable(),
});
const saved = z.object({
  /** The evaluation with the lowest validation loss; null before the first. */
  best: sight.nullable(),
  latest: sight.nullable(),
  evaluationsSinceBest: z.number(),
  /** Steps since the latest evaluation, and the sum of their losses. */
  steps: z.number(),
  lossSum: z.number(),
});

/** One evaluation. */
export type EvaluationPoint = Readonly<z.infer<typeof sight>>;
type Seen = Readonly<z.infer<typeof saved>>;

export class EarlyStopping {
  #seen: Seen = { best: null, latest: null, evaluationsSinceBest: 0, steps: 0, lossSum: 0 };

  get best(): EvaluationPoint | null {
    return this.#seen.best;
  }

  get latest(): EvaluationPoint | null {
    return this.#seen.latest;
  }

  get evaluationsSinceBest(): number {
    return this.#seen.evaluationsSinceBest;
  }

  /** Takes a step's training loss in. */
  trained(lossNats: number): void {
    const { steps, lossSum } = this.#seen;
    this.#seen = { ...this.#seen, steps: steps + 1, lossSum: lossSum + lossNats };
  }

  /** Takes an evaluation in; tells whether it is the best so far, which one that is not finite never is. */
  evaluated(step: number, validationNats: number): boolean {
    const { steps, lossSum, best, evaluationsSinceBest } = this.#seen;
    const latest = { step, validationNats, trainingNats: steps === 0 ? null : lossSum / steps };
    const isBest = validationNats < (best?.validationNats ?? Number.POSITIVE_INFINITY);
    this.#seen = {
      best: isBest ? latest : best,
      latest,
      evaluationsSinceBest: isBest ? 0 : evaluationsSinceBest + 1,
      steps: 0,
      lossSum: 0,
    };
    return isBest;
  }

  /** Whether so many evaluations have passed without a better one; never for 0. */
  isExhausted(patience: number): boolean {
    return patience > 0 && this.evaluationsSinceBest >= patience;
  }

  /**
   * Whether the model has learned its text by heart: since the best evaluation the training loss has fallen further,
   * while the validation loss has risen.
   */
  get isOverfitting(): boolean {
    const { best, latest } = this;
    if (!best?.trainingNats || !latest?.trainingNats) return false;
    return latest.trainingNats < best.trainingNats && latest.validationNats > best.validationNats;
  }

  /** What a checkpoint keeps of it. */
  toJSON(): Seen {
    return this.#seen;
  }

  /** As it was saved; as it begins, where nothing was. */
  static fromJSON(json: unknown): EarlyStopping {
    const patience = new EarlyStopping();
    patience.#seen = saved.safeParse(json).data ?? patience.#seen;
    return patience;
  }
}
