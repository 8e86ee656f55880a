/** Smooths noisy curves and thins out long ones before drawing. */
import { bisector } from "d3-array";
import type { CurvePoint } from "./plotted-run.ts";

const MANTISSAS = [5, 2, 1];
/** A smoothed point is the mean of about this share of the run. */
const SMOOTHED_SHARE = 1 / 40;

/** Returns the default number of steps to average over in a run of `steps`: 1, 2, 5, 10, 20, … */
export function defaultSmoothing(steps: number): number {
  const wanted = steps * SMOOTHED_SHARE;
  let power = 1;
  while (power * 10 <= wanted) power *= 10;
  return power * (MANTISSAS.find((mantissa) => mantissa * power <= wanted) ?? 1);
}

/** Replaces each point by the mean of the last `count` points, including itself, or of fewer at the start. */
export function smooth(points: readonly CurvePoint[], count: number): CurvePoint[] {
  let sum = 0;
  return points.map(([step, seconds, value], i) => {
    sum += value;
    if (i >= count) sum -= points[i - count][2];
    return [step, seconds, sum / Math.min(i + 1, count)];
  });
}

/**
 * Keeps about `limit` of the points: the first, the last, and the lowest and highest in each interval, so that no spike
 * is lost.
 */
export function thin<Point>(
  points: readonly Point[],
  limit: number,
  heightOf: (point: Point) => number,
): readonly Point[] {
  if (points.length <= limit) return points;
  const kept = new Set([0, points.length - 1]);
  const intervals = Math.max(1, Math.floor(limit / 2) - 1);
  for (let interval = 0; interval < intervals; interval++) {
    const [start, end] = [interval, interval + 1].map((at) => Math.floor((at * points.length) / intervals));
    let [low, high] = [start, start];
    for (let i = start; i < end; i++) {
      if (heightOf(points[i]) < heightOf(points[low])) low = i;
      if (heightOf(points[i]) > heightOf(points[high])) high = i;
    }
    kept.add(low).add(high);
  }
  return [...kept].sort((a, b) => a - b).map((i) => points[i]);
}

/** Returns the point nearest to `x`, or null if there are no points. */
export function nearestPoint<Point extends { readonly x: number }>(
  points: readonly Point[],
  x: number,
): Point | null {
  if (points.length === 0) return null;
  return points[bisector<Point, number>((point) => point.x).center(points, x)];
}
