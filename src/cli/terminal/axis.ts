/** An axis of a chart: where a value stands between its two ends, which values are worth a label, and their words. */
import { log } from "../../math.ts";

export type ScaleKind = "linear" | "log";

export interface Axis {
  readonly kind: ScaleKind;
  readonly from: number;
  readonly to: number;
}

/** What stands on a logarithmic axis between two powers of ten, the densest first. */
const MANTISSAS = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]] as const;

/** Numbers beyond these are no measurements, and the arithmetic of ticks would not hold. */
const [LARGEST, SMALLEST] = [1e100, 1e-100];
/** Ends that are nearer to each other, as a share of their size, are one value. */
const ONE_VALUE = 1e-9;

/** The axis that holds all these values, but those that `fits` turns away. */
export function axisOver(values: Iterable<number>, kind: ScaleKind): Axis {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!fits(kind, value)) continue;
    from = Math.min(from, value);
    to = Math.max(to, value);
  }
  if (from > to) return { kind, from: 1, to: 2 };
  const size = Math.max(Math.abs(from), Math.abs(to));
  if (to - from > Math.max(SMALLEST, size * ONE_VALUE)) return { kind, from, to };
  // One value alone stands in the middle.
  if (kind === "log") return { kind, from: from / 2, to: to * 2 };
  const around = Math.abs(from) / 2 || 1;
  return { kind, from: from - around, to: to + around };
}

/** Whether an axis of this kind has a place for the value: finite, and positive on a logarithmic one. */
export function fits(kind: ScaleKind, value: number): boolean {
  return Math.abs(value) <= LARGEST && (kind === "linear" || value >= SMALLEST);
}

/** 0 at the start of the axis, 1 at its end; what lies beyond an end is put there. */
export function placeOf({ kind, from, to }: Axis, value: number): number {
  const place =
    kind === "linear" ? (value - from) / (to - from) : (log(value) - log(from)) / (log(to) - log(from));
  return Math.min(1, Math.max(0, place));
}

/** Round values on the axis, in rising order, `most` of them at most. */
export function ticksOf(axis: Axis, most: number): number[] {
  if (axis.kind === "linear") return linearTicks(axis, most);
  for (const mantissas of MANTISSAS) {
    const ticks = logTicks(axis, mantissas);
    if (ticks.length <= most) return ticks.length > 1 ? ticks : linearTicks(axis, most);
  }
  // So many powers of ten: every second, every third, …
  const powers = logTicks(axis, [1]);
  const every = Math.ceil(powers.length / Math.max(1, most));
  return powers.filter((_, i) => i % every === 0);
}

function linearTicks({ from, to }: Axis, most: number): number[] {
  const rough = (to - from) / Math.max(1, most);
  const power = exponentOf(rough);
  for (let exponent = power; ; exponent++) {
    for (const mantissa of [1, 2, 5]) {
      // Division by a power of ten is exact where multiplication by a fraction is not: 3 / 10, not 3 · 0.1.
      const [times, over] = exponent < 0 ? [mantissa, tenTo(-exponent)] : [mantissa * tenTo(exponent), 1];
      const first = Math.ceil((from * over) / times);
      const last = Math.floor((to * over) / times);
      if (last - first + 1 > most) continue;
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => ((first + i) * times) / over);
    }
  }
}

function logTicks({ from, to }: Axis, mantissas: readonly number[]): number[] {
  const ticks: number[] = [];
  for (let exponent = exponentOf(from); exponent <= exponentOf(to); exponent++) {
    for (const mantissa of mantissas) {
      const value = exponent < 0 ? mantissa / tenTo(-exponent) : mantissa * tenTo(exponent);
      if (value >= from && value <= to) ticks.push(value);
    }
  }
  return ticks;
}

/** k, where the number is at least 10ᵏ and less than ten times that. */
function exponentOf(value: number): number {
  return Number(value.toExponential().split("e")[1]);
}

function tenTo(exponent: number): number {
  return Number(`1e${exponent}`);
}

/** A value in few characters: three digits that count, and no more zeros than it needs. */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (size >= 100_000)
    return value.toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 1 });
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  if (size !== 0 && size < 0.001) return value.toExponential(0);
  return String(Number(value.toPrecision(3)));
}
