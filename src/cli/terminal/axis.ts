/** An axis of a chart: maps values to positions and chooses and formats tick labels. */
import { log } from "../../math.ts";
import { extentOf, type ScaleKind } from "../../report/extent.ts";

export interface Axis {
  readonly kind: ScaleKind;
  readonly from: number;
  readonly to: number;
}

/** Mantissas of the ticks on a logarithmic axis, densest first. */
const MANTISSAS = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]] as const;

/** Returns an axis that spans all values that fit. */
export function axisOver(values: Iterable<number>, kind: ScaleKind): Axis {
  const [from, to] = extentOf(values, kind) ?? [1, 2];
  return { kind, from, to };
}

/** Maps a value to 0 at the start of the axis and 1 at its end, clamped to that range. */
export function placeOf({ kind, from, to }: Axis, value: number): number {
  const place =
    kind === "linear" ? (value - from) / (to - from) : (log(value) - log(from)) / (log(to) - log(from));
  return Math.min(1, Math.max(0, place));
}

/** Returns at most `most` round values on the axis, in ascending order. */
export function ticksOf(axis: Axis, most: number): number[] {
  if (axis.kind === "linear") return linearTicks(axis, most);
  for (const mantissas of MANTISSAS) {
    const ticks = logTicks(axis, mantissas);
    if (ticks.length <= most) return ticks.length > 1 ? ticks : linearTicks(axis, most);
  }
  // Too many powers of ten: keep every second, every third, …
  const powers = logTicks(axis, [1]);
  const every = Math.ceil(powers.length / Math.max(1, most));
  return powers.filter((_, i) => i % every === 0);
}

function linearTicks({ from, to }: Axis, most: number): number[] {
  const rough = (to - from) / Math.max(1, most);
  const power = exponentOf(rough);
  for (let exponent = power; ; exponent++) {
    for (const mantissa of [1, 2, 5]) {
      // Dividing by a power of ten is exact, multiplying by a fraction is not: 3 / 10, not 3 · 0.1.
      const [times, over] = exponent < 0 ? [mantissa, tenTo(-exponent)] : [mantissa * tenTo(exponent), 1];
      const first = Math.ceil((from * over) / times);
      const last = Math.floor((to * over) / times);
      if (last - first + 1 > most) continue;
      const ticks = Array.from(
        { length: Math.max(0, last - first + 1) },
        (_, i) => ((first + i) * times) / over,
      );
      // A quotient may have underflowed.
      return ticks.filter((tick) => tick >= from && tick <= to);
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

/** Returns k such that 10ᵏ ≤ value < 10ᵏ⁺¹. */
function exponentOf(value: number): number {
  return Number(value.toExponential().split("e")[1]);
}

function tenTo(exponent: number): number {
  return Number(`1e${exponent}`);
}

/** Formats a value with up to three significant digits and no trailing zeros. */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e15) return Number(value.toPrecision(2)).toExponential();
  if (size >= 100_000)
    return value.toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 1 });
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  if (size !== 0 && size < 0.001) return value.toExponential(0);
  return String(Number(value.toPrecision(3)));
}
