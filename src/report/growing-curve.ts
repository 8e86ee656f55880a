/** A curve that is read point by point and stays small, however long it is. */
import { smooth } from "./curves.ts";
import type { CurvePoint } from "./plotted-run.ts";

/** Points that follow each other. */
interface Group {
  readonly low: CurvePoint;
  readonly high: CurvePoint;
  readonly last: CurvePoint;
  readonly sum: number;
  readonly count: number;
}

/** More than any chart has pixels for. */
const MOST_GROUPS = 1 << 17;

/**
 * Keeps every point of a curve of up to 131,072 points. Of a longer one it keeps the lowest and the highest point and the
 * mean of each group of points that follow each other; all groups but the last have the same size.
 */
export class GrowingCurve {
  readonly #most: number;
  #groups: Group[] = [];
  /** The number of points in a full group. */
  #size = 1;
  #first: CurvePoint | null = null;
  #count = 0;

  /** @param most the largest number of groups, an even number */
  constructor(most = MOST_GROUPS) {
    this.#most = most;
  }

  /** The number of points added. */
  get count(): number {
    return this.#count;
  }

  add(point: CurvePoint): void {
    const group = { low: point, high: point, last: point, sum: point[2], count: 1 };
    this.#first ??= point;
    this.#count += 1;
    const open = this.#groups.at(-1);
    if (open !== undefined && open.count < this.#size)
      this.#groups[this.#groups.length - 1] = merge(open, group);
    else {
      if (this.#groups.length === this.#most) this.#halve();
      this.#groups.push(group);
    }
  }

  /** The kept points, in the order in which they were added. The first and the last are among them. */
  points(): CurvePoint[] {
    const kept = this.#groups.flatMap(({ low, high }) => inOrder(low, high));
    const last = this.#groups.at(-1)?.last;
    if (this.#first !== null && kept[0] !== this.#first) kept.unshift(this.#first);
    if (last !== undefined && kept.at(-1) !== last) kept.push(last);
    return kept;
  }

  /** The mean of the last `count` points at each point, as `smooth` in curves.ts; `count` is rounded to whole groups. */
  smoothed(count: number): CurvePoint[] {
    const means = this.#groups.map(({ last, sum, count }): CurvePoint => [last[0], last[1], sum / count]);
    return smooth(means, Math.max(1, Math.round(count / this.#size)));
  }

  #halve(): void {
    const groups = this.#groups;
    this.#groups = Array.from({ length: groups.length / 2 }, (_, i) =>
      merge(groups[2 * i], groups[2 * i + 1]),
    );
    this.#size *= 2;
  }
}

function merge(a: Group, b: Group): Group {
  return {
    low: b.low[2] < a.low[2] ? b.low : a.low,
    high: b.high[2] > a.high[2] ? b.high : a.high,
    last: b.last,
    sum: a.sum + b.sum,
    count: a.count + b.count,
  };
}

function inOrder(a: CurvePoint, b: CurvePoint): CurvePoint[] {
  if (a === b) return [a];
  return a[0] <= b[0] ? [a, b] : [b, a];
}
