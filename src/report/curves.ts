/** What becomes of the points of a curve before it is drawn: means of noisy ones, fewer of very many. */
import { bisector } from "d3-array";
import type { CurvePoint } from "./plotted-run.ts";

const MANTISSAS = [5, 2, 1];
/** Of a whole run, a smoothed point is the mean of about this share. */
const SMOOTHED_SHARE = 1 / 40;

/** 1, 2, 5, 10, 20, …: over how many steps noisy curves of a run of `steps` are smoothed unless told otherwise. */
export function usualSmoothing(steps: number): number {
  const wanted = steps * SMOOTHED_SHARE;
  let power = 1;
  while (power * 10 <= wanted) power *= 10;
  return power * (MANTISSAS.find((mantissa) => mantissa * power <= wanted) ?? 1);
}

/** Each point becomes the mean of the last `count`, itself included; at the start, of as many as there are. */
export function smooth(points: readonly CurvePoint[], count: number): CurvePoint[] {
  let sum = 0;
  return points.map(([step, seconds, value], i) => {
    sum += value;
    if (i >= count) sum -= points[i - count][2];
    return [step, seconds, sum / Math.min(i + 1, count)];
  });
}

/**
 * At most about `limit` of the points, all of them real ones: of each stretch the lowest and the highest, so that no
 * spike is lost; and the first and the last.
 */
export function thin(points: readonly CurvePoint[], limit: number): readonly CurvePoint[] {
  if (points.length <= limit) return points;
  const kept = new Set([0, points.length - 1]);
  const stretches = Math.max(1, Math.floor(limit / 2) - 1);
  for (let stretch = 0; stretch < stretches; stretch++) {
    const [start, end] = [stretch, stretch + 1].map((at) => Math.floor((at * points.length) / stretches));
    let [low, high] = [start, start];
    for (let i = start; i < end; i++) {
      if (points[i][2] < points[low][2]) low = i;
      if (points[i][2] > points[high][2]) high = i;
    }
    kept.add(low).add(high);
  }
  return [...kept].sort((a, b) => a - b).map((i) => points[i]);
}

/** The point whose x is next to `x`; null where there is none. */
export function nearestPoint<Point extends { readonly x: number }>(
  points: readonly Point[],
  x: number,
): Point | null {
  if (points.length === 0) return null;
  return points[bisector<Point, number>((point) => point.x).center(points, x)];
}
