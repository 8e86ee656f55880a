/** The losses of a run, thinned so that a long run stays quick to draw. */
import type { MaskMode } from "../../masks.ts";
import type { TrainedStep } from "../../protocol.ts";

/** A point of the curve: the mean loss of some consecutive steps with one mask. */
export interface CurvePoint {
  readonly firstStep: number;
  readonly step: number;
  readonly lossNats: number;
  readonly mask: MaskMode;
}

/** Twice as many points as a chart has pixels are joined in pairs. */
const MOST_POINTS = 1600;

export class LossCurve {
  #points: CurvePoint[] = [];
  /** Steps per point. */
  #stride = 1;

  get points(): readonly CurvePoint[] {
    return this.#points;
  }

  add(steps: readonly TrainedStep[]): void {
    for (const { step, lossNats, mask } of steps) this.#add({ firstStep: step, step, lossNats, mask });
    while (this.#points.length > MOST_POINTS) {
      this.#stride *= 2;
      const points = this.#points;
      this.#points = [];
      for (const point of points) this.#add(point);
    }
  }

  clear(): void {
    this.#points = [];
    this.#stride = 1;
  }

  #add(point: CurvePoint): void {
    const last = this.#points.at(-1);
    const fits = last !== undefined && last.mask === point.mask && point.firstStep === last.step + 1;
    if (!fits || point.step - last.firstStep + 1 > this.#stride) {
      this.#points.push(point);
      return;
    }
    const [before, added] = [last.step - last.firstStep + 1, point.step - point.firstStep + 1];
    const lossNats = (before * last.lossNats + added * point.lossNats) / (before + added);
    this.#points[this.#points.length - 1] = { ...point, firstStep: last.firstStep, lossNats };
  }
}
