/** A curve that grows without end and stays small: if it has too many points, neighbors are merged. */
import type { Point } from "../../../terminal/chart.ts";

/** More than any terminal has columns for. */
const MOST_POINTS = 2048;

export class Curve {
  #points: Point[] = [];
  /** Number of values averaged in each point. */
  #each = 1;
  /** Values of the next point. */
  #pending: Point[] = [];

  add(x: number, y: number): void {
    this.#pending.push([x, y]);
    if (this.#pending.length < this.#each) return;
    this.#points.push(meanOf(this.#pending));
    this.#pending = [];
    if (this.#points.length < MOST_POINTS) return;
    const points = this.#points;
    this.#points = Array.from({ length: points.length / 2 }, (_, i) =>
      meanOf([points[2 * i], points[2 * i + 1]]),
    );
    this.#each *= 2;
  }

  /** The points, in the order in which they were added. */
  points(): readonly Point[] {
    return this.#pending.length === 0 ? this.#points : [...this.#points, meanOf(this.#pending)];
  }
}

function meanOf(points: readonly Point[]): Point {
  const mean = (part: 0 | 1) => points.reduce((sum, point) => sum + point[part], 0) / points.length;
  return [mean(0), mean(1)];
}
