/** Strided copies: slices, transposes, broadcasts, and the gradients of each. */
import type { Strided } from "../backend.ts";
import { numbersOf, startsOf } from "./buffer.ts";

/** dst[i, j, …] = src[i, j, …], or += with `accumulate`. */
export function copy(dst: Strided, src: Strided, shape: readonly number[], accumulate: boolean): void {
  const [ds, ss] = [numbersOf(dst.buffer), numbersOf(src.buffer)];
  const from = startsOf(src, shape);
  startsOf(dst, shape).forEach((to, i) => {
    ds[to] = accumulate ? ds[to] + ss[from[i]] : ss[from[i]];
  });
}
