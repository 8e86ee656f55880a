/** Rotation of points in the plane. For the formula, see ../../reference/rotate.ts. */
import { at, loadSome, putSome } from "./vector";

/** Rows begin … end−1, each of `groups` runs of 2·half columns. */
export function rotateRows(
  y: usize, x: usize, table: usize, places: usize,
  groups: i32, half: i32, backwards: bool, accumulate: bool, begin: i32, end: i32,
): void {
  const width = 2 * half;
  for (let row = begin; row < end; row++) {
    const cosines = at(table, <i32>f32.load(at(places, row)) * width);
    const sines = at(cosines, half);
    for (let group = 0; group < groups; group++) {
      const from = at(x, (row * groups + group) * width);
      const to = at(y, (row * groups + group) * width);
      for (let j = 0; j < half; j += 4) {
        const count = min(half - j, 4);
        const a = loadSome(at(from, j), count);
        const b = loadSome(at(from, half + j), count);
        const cosine = loadSome(at(cosines, j), count);
        const forwards = loadSome(at(sines, j), count);
        const sine = backwards ? f32x4.neg(forwards) : forwards;
        putSome(at(to, j), f32x4.sub(f32x4.mul(a, cosine), f32x4.mul(b, sine)), count, accumulate);
        putSome(at(to, half + j), f32x4.add(f32x4.mul(a, sine), f32x4.mul(b, cosine)), count, accumulate);
      }
    }
  }
}
