/** Collects what a plot shows of a log, entry by entry and in bounded memory. */
import { GrowingCurve } from "../../../report/growing-curve.ts";
import type { CurvePoint, PlottedSample } from "../../../report/plotted-run.ts";
import { asEvaluation, asSample, asStep, type LogEntry } from "../../../run/log.ts";

/** A page with more samples cannot be read. */
const MOST_SAMPLES = 1000;

export class PlottedLog {
  readonly train = new GrowingCurve();
  readonly learningRate = new GrowingCurve();
  readonly gradientNorm = new GrowingCurve();
  readonly #validation = new LatestOfEachStep();
  readonly #estimates = new LatestOfEachStep();
  #samples: PlottedSample[] = [];
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
    if (evaluation !== null) {
      const curve = evaluation.isEstimate ? this.#estimates : this.#validation;
      curve.add([evaluation.step, seconds, evaluation.lossNats]);
    }
    if (sample !== null) this.#sampled({ step: sample.step, text: sample.text });
  }

  /** Measured validation losses. */
  validation(): CurvePoint[] {
    return this.#validation.points();
  }

  /** Validation losses estimated from a few random windows. */
  estimates(): CurvePoint[] {
    return this.#estimates.points();
  }

  samples(): readonly PlottedSample[] {
    return this.#samples;
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

/** A curve with one point for each step: a resumed run may repeat one. */
class LatestOfEachStep {
  readonly #curve = new GrowingCurve();
  #latest: CurvePoint | null = null;

  add(point: CurvePoint): void {
    const before = this.#latest;
    if (before !== null && point[0] < before[0]) return;
    if (before !== null && point[0] > before[0]) this.#curve.add(before);
    this.#latest = point;
  }

  points(): CurvePoint[] {
    const points = this.#curve.points();
    return this.#latest === null ? points : [...points, this.#latest];
  }
}
