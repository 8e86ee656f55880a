/** A curve that is added to without end and stays small: when it has too many points, neighbors become one. */
import type { Point } from "../../../terminal/chart.ts";

/** More than any terminal has columns for. */
const MOST_POINTS = 2048;

export class Curve {
  #points: Point[] = [];
  /** Values that a point is the mean of; those that are still waiting to be one. */
  #each = 1;
  #waiting: Point[] = [];

  add(x: number, y: number): void {
    this.#waiting.push([x, y]);
    if (this.#waiting.length < this.#each) return;
    this.#points.push(meanOf(this.#waiting));
    this.#waiting = [];
    if (this.#points.length < MOST_POINTS) return;
    const points = this.#points;
    this.#points = Array.from({ length: points.length / 2 }, (_, i) =>
      meanOf([points[2 * i], points[2 * i + 1]]),
    );
    this.#each *= 2;
  }

  /** In the order in which they were added. */
  points(): readonly Point[] {
    return this.#waiting.length === 0 ? this.#points : [...this.#points, meanOf(this.#waiting)];
  }
}

function meanOf(points: readonly Point[]): Point {
  const mean = (part: 0 | 1) => points.reduce((sum, point) => sum + point[part], 0) / points.length;
  return [mean(0), mean(1)];
}
