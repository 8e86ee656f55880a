/** Rotation of points in the plane: how rotary positions enter queries and keys. */
import type { Buffer, HostIntegers, RotationSize, WriteTarget } from "../backend.ts";
import { numbersOf, putInto } from "./buffer.ts";

/** (a, b) → (a·cos − b·sin, a·sin + b·cos), for a in column j and b in column half + j of each run of a row. */
export function rotateRows(
  y: WriteTarget,
  x: Buffer,
  table: Buffer,
  positions: HostIntegers,
  { rows, groups, half, backwards }: RotationSize,
): void {
  const [xs, angles] = [x, table].map(numbersOf);
  const put = putInto(y);
  for (let row = 0; row < rows; row++) {
    const turn = positions[row] * 2 * half;
    for (let group = 0; group < groups; group++) {
      const start = (row * groups + group) * 2 * half;
      for (let j = 0; j < half; j++) {
        const [a, b] = [xs[start + j], xs[start + half + j]];
        const cosine = angles[turn + j];
        const sine = backwards ? -angles[turn + half + j] : angles[turn + half + j];
        put(start + j, a * cosine - b * sine);
        put(start + half + j, a * sine + b * cosine);
      }
    }
  }
}
