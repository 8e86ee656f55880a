/** Functions of two numbers, applied elementwise, and scaling. */
import type { BinaryName, Buffer, WriteTarget } from "../backend.ts";
import { numbersOf, putInto } from "./buffer.ts";

const functions: Record<BinaryName, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
};

/** y = f(a, b). A shorter b is repeated. */
export function binary(name: BinaryName, y: WriteTarget, a: Buffer, b: Buffer): void {
  const f = functions[name];
  const [as, bs] = [numbersOf(a), numbersOf(b)];
  const put = putInto(y);
  for (let i = 0; i < as.length; i++) put(i, f(as[i], bs[i % bs.length]));
}

/** y = factor·x. */
export function scale(y: WriteTarget, x: Buffer, factor: number): void {
  const xs = numbersOf(x);
  const put = putInto(y);
  for (let i = 0; i < xs.length; i++) put(i, factor * xs[i]);
}
