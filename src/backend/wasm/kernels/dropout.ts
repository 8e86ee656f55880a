/** Dropout of elements begin … end−1, by a counter-based hash. See ../../reference/dropout.ts. */
import { drop } from "./hash";
import { at, loadSome, putSixteen, putSome } from "./vector";

/** y = factor·x, or 0 if the hash of the element's index is below `threshold`, an unsigned 32-bit number. */
export function dropout(
  y: usize, x: usize, key0: i32, key1: i32, threshold: i32, factor: f32,
  accumulate: bool, begin: i32, end: i32,
): void {
  const factors = f32x4.splat(factor);
  let i = begin;
  for (; i <= end - 16; i += 16) {
    const from = at(x, i);
    const a = drop(f32x4.mul(v128.load(from), factors), indices(i), key0, key1, threshold);
    const b = drop(f32x4.mul(v128.load(from, 16), factors), indices(i + 4), key0, key1, threshold);
    const c = drop(f32x4.mul(v128.load(from, 32), factors), indices(i + 8), key0, key1, threshold);
    const d = drop(f32x4.mul(v128.load(from, 48), factors), indices(i + 12), key0, key1, threshold);
    putSixteen(at(y, i), a, b, c, d, accumulate);
  }
  for (; i < end; i += 4) {
    const left = min(end - i, 4);
    const scaled = f32x4.mul(loadSome(at(x, i), left), factors);
    putSome(at(y, i), drop(scaled, indices(i), key0, key1, threshold), left, accumulate);
  }
}

/** first, first + 1, first + 2, first + 3. */
@inline
function indices(first: i32): v128 {
  return i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3));
}
