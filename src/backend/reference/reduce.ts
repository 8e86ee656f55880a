/** Reductions of the middle axis of (outer, axis, inner), and the sum of squares of whole buffers. */
import type { Buffer, ReductionSize, WriteTarget } from "../backend.ts";
import { numbersOf, putInto } from "./buffer.ts";

/** y[o, i] = factor·Σ_a x[o, a, i]. */
export function sumAxis(y: WriteTarget, x: Buffer, size: ReductionSize, factor: number): void {
  const xs = numbersOf(x);
  const put = putInto(y);
  forEachLine(size, (line, start, stride) => {
    let sum = 0;
    for (let a = 0; a < size.axis; a++) sum += xs[start + a * stride];
    put(line, factor * sum);
  });
}

/** y[o, i] = max_a x[o, a, i]. */
export function maxAxis(y: Buffer, x: Buffer, size: ReductionSize): void {
  const [ys, xs] = [numbersOf(y), numbersOf(x)];
  forEachLine(size, (line, start, stride) => {
    let max = Number.NEGATIVE_INFINITY;
    for (let a = 0; a < size.axis; a++) max = Math.max(max, xs[start + a * stride]);
    ys[line] = max;
  });
}

/** The gradient goes to the first element that equals the maximum. */
export function maxAxisBackward(
  dx: WriteTarget,
  dy: Buffer,
  x: Buffer,
  y: Buffer,
  size: ReductionSize,
): void {
  const [dys, xs, ys] = [numbersOf(dy), numbersOf(x), numbersOf(y)];
  const put = putInto(dx);
  forEachLine(size, (line, start, stride) => {
    let found = false;
    for (let a = 0; a < size.axis; a++) {
      const at = start + a * stride;
      const first: boolean = !found && xs[at] === ys[line];
      put(at, first ? dys[line] : 0);
      found ||= first;
    }
  });
}

/** y[i] = Σ xs[i]². */
export function sumsOfSquares(y: Buffer, xs: readonly Buffer[]): void {
  const ys = numbersOf(y);
  xs.forEach((x, i) => {
    let sum = 0;
    for (const value of numbersOf(x)) sum += value * value;
    ys[i] = sum;
  });
}

function forEachLine(
  { outer, axis, inner }: ReductionSize,
  visit: (line: number, start: number, stride: number) => void,
): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) visit(o * inner + i, o * axis * inner + i, inner);
  }
}
