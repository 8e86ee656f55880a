/** Spans of the reference backend in double precision, for tests that call kernels themselves. */
import type { Sink, Span } from "../../src/backend/backend.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";

export const reference = new ReferenceBackend("double");

export function spanOf(values: ArrayLike<number>): Span {
  const span = reference.alloc(values.length);
  reference.write(span, values);
  return span;
}

export async function numbersIn(span: Span): Promise<number[]> {
  return Array.from(await reference.read(span));
}

/** Runs a kernel that writes `length` numbers, once in place of what was there and once on top of tens. */
export async function written(length: number, run: (sink: Sink) => void): Promise<number[]> {
  const [replaced, added] = [reference.alloc(length), spanOf(new Float64Array(length).fill(10))];
  run({ span: replaced, accumulate: false });
  run({ span: added, accumulate: true });
  const numbers = await numbersIn(replaced);
  const onTop = await numbersIn(added);
  numbers.forEach((value, i) => {
    if (Math.abs(onTop[i] - (10 + value)) > 1e-12)
      throw new Error(`accumulate: got ${onTop[i]} for 10 + ${value}`);
  });
  return numbers;
}
