/** Dropout of elements begin … end−1 by a counter: see reference/dropout.ts. */
import { drop } from "./hash";
import { at, loadSome, putSome } from "./vector";

/** y = factor·x, or 0 where the hash of the element's index is below `threshold`, an unsigned 32-bit number. */
export function dropout(
  y: usize, x: usize, key0: i32, key1: i32, threshold: i32, factor: f32,
  accumulate: bool, begin: i32, end: i32,
): void {
  const factors = f32x4.splat(factor);
  for (let i = begin; i < end; i += 4) {
    const left = min(end - i, 4);
    const index = i32x4.add(i32x4.splat(i), i32x4(0, 1, 2, 3));
    const scaled = f32x4.mul(loadSome(at(x, i), left), factors);
    putSome(at(y, i), drop(scaled, index, key0, key1, threshold), left, accumulate);
  }
}
