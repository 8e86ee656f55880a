/** Collects what a plot shows of a log, entry by entry and in bounded memory. */
import { GrowingCurve } from "../../../report/growing-curve.ts";
import type { CurvePoint, PlottedRun, PlottedSample } from "../../../report/plotted-run.ts";
import { asEvaluation, asSample, asStep, type LogEntry } from "../../../run/log.ts";

/** A page with more samples cannot be read. */
const MOST_SAMPLES = 1000;

export class PlottedLog {
  readonly train = new GrowingCurve();
  readonly learningRate = new GrowingCurve();
  readonly gradientNorm = new GrowingCurve();
  readonly #validation = new GrowingCurve();
  /** The latest evaluation; a resumed run may repeat it. */
  #evaluation: CurvePoint | null = null;
  #samples: PlottedSample[] = [];
  #best: PlottedRun["best"] = null;
  #spentMs = 0;

  /** The entries come in the order of the log. */
  add(entry: LogEntry): void {
    const made = asStep(entry);
    const evaluation = asEvaluation(entry);
    const sample = asSample(entry);
    const seconds = (this.#spentMs + (made?.elapsedMs ?? 0)) / 1000;
    if (made !== null) {
      this.#spentMs += made.elapsedMs;
      const { step, lossNats, learningRate, gradientNorm } = made;
      if (lossNats !== null) this.train.add([step, seconds, lossNats]);
      if (learningRate !== null) this.learningRate.add([step, seconds, learningRate]);
      if (gradientNorm !== null) this.gradientNorm.add([step, seconds, gradientNorm]);
    }
    if (evaluation !== null) this.#evaluated([evaluation.step, seconds, evaluation.lossNats]);
    if (sample !== null) this.#sampled({ step: sample.step, text: sample.text });
  }

  /** The lowest validation loss. */
  get best(): PlottedRun["best"] {
    const [step, , lossNats] = this.#evaluation ?? [];
    if (step === undefined || lossNats === undefined) return this.#best;
    return this.#best === null || lossNats < this.#best.lossNats ? { step, lossNats } : this.#best;
  }

  validation(): CurvePoint[] {
    const points = this.#validation.points();
    return this.#evaluation === null ? points : [...points, this.#evaluation];
  }

  samples(): readonly PlottedSample[] {
    return this.#samples;
  }

  #evaluated(point: CurvePoint): void {
    const before = this.#evaluation;
    if (before !== null && point[0] < before[0]) return;
    if (before !== null && point[0] > before[0]) {
      this.#best = this.best;
      this.#validation.add(before);
    }
    this.#evaluation = point;
  }

  #sampled(sample: PlottedSample): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && sample.step < last.step) return;
    if (last?.step === sample.step) this.#samples.pop();
    this.#samples.push(sample);
    // Every second one is dropped, but never the latest.
    if (this.#samples.length > MOST_SAMPLES) this.#samples = this.#samples.filter((_, i) => i % 2 === 0);
  }
}
