/** A curve that is read point by point and stays small, however long it is. */
import { smooth } from "./curves.ts";
import type { CurvePoint } from "./plotted-run.ts";

/** Points that follow each other. */
interface Group {
  low: CurvePoint;
  high: CurvePoint;
  last: CurvePoint;
  sum: number;
  count: number;
}

/** More than any chart has pixels for. */
const MOST_GROUPS = 1 << 15;

/**
 * Keeps every point of a curve of up to 32,768 points. Of a longer one it keeps the lowest and the highest point and the
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
    if (open !== undefined && open.count < this.#size) absorb(open, group);
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
    for (let i = 0; i < groups.length; i += 2) absorb(groups[i], groups[i + 1]);
    this.#groups = groups.filter((_, i) => i % 2 === 0);
    this.#size *= 2;
  }
}

/** Adds the points of `next`, which follow, to `group`. */
function absorb(group: Group, next: Group): void {
  if (next.low[2] < group.low[2]) group.low = next.low;
  if (next.high[2] > group.high[2]) group.high = next.high;
  group.last = next.last;
  group.sum += next.sum;
  group.count += next.count;
}

function inOrder(a: CurvePoint, b: CurvePoint): CurvePoint[] {
  if (a === b) return [a];
  return a[0] <= b[0] ? [a, b] : [b, a];
}
