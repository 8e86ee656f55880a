/** The range of values that a chart covers. A log may hold any number, so the range must suit the arithmetic of ticks. */
import { largestOf, smallestOf } from "../util/extremes.ts";

export type ScaleKind = "linear" | "log";

/** Values outside this range are not measurements and would break the arithmetic of ticks. */
const [LARGEST, SMALLEST] = [1e100, 1e-100];
/** Ends closer together than this, relative to their size, count as one value. */
const ONE_VALUE = 1e-9;

/** Whether a chart can show a value on this kind of axis: finite, not absurdly large, and positive if logarithmic. */
export function fits(kind: ScaleKind, value: number): boolean {
  return Math.abs(value) <= LARGEST && (kind === "linear" || value >= SMALLEST);
}

/**
 * The lowest and the highest of the values that fit. A single value gets a range around it.
 *
 * @returns null if no value fits
 */
export function extentOf(values: Iterable<number>, kind: ScaleKind): readonly [number, number] | null {
  const fitting = [...values].filter((value) => fits(kind, value));
  const [from, to] = [smallestOf(fitting), largestOf(fitting)];
  if (from > to) return null;
  const size = Math.max(Math.abs(from), Math.abs(to));
  if (to - from > Math.max(SMALLEST, size * ONE_VALUE)) return [from, to];
  if (kind === "log") return [from / 2, to * 2];
  const around = size / 2 >= SMALLEST ? size / 2 : 1;
  return [from - around, to + around];
}
