/**
 * The matrix products of attention for up to four neighboring matrices with one row each, as in token-by-token
 * generation. Lane r of a strip is the row of matrix r, which has its own columns.
 *
 * Processes one block of columns after the other, so that cache lines shared by neighbors are read only once.
 * `aStep`, `bStep` and `yStep` are the bytes from one matrix to the next.
 */
import { Strip } from "./attention-call";
import { dotProductsOfOne } from "./attention-dots";
import { addSumOfOne } from "./attention-sums";

/** A multiple of four. A row of one matrix with 32 numbers is 128 bytes, so a block of four matrices is 16 KiB. */
const BLOCK: usize = 32;

/** numbers[r, column] = factor·⟨a[r], b[r, column]⟩. */
export function dotProductsOfMatrices(
  numbers: usize, a: usize, aStep: usize, b: usize, bStep: usize, bRow: usize, strip: Strip, factor: f32,
): void {
  const width = strip.widthBytes, seen = strip.seen;
  for (let from: usize = 0; from < seen; from += BLOCK) {
    const to = min(from + BLOCK, seen);
    for (let r: usize = 0; r < strip.rows; r++) {
      dotProductsOfOne(numbers + 4 * r, a + r * aStep, b + r * bStep, bRow, width, factor, from, to);
    }
  }
}

/** y[r] = Σ numbers[r, column]·b[r, column]. */
export function addSumsOfMatrices(
  y: usize, yStep: usize, numbers: usize, b: usize, bStep: usize, bRow: usize, strip: Strip,
): void {
  const width = strip.widthBytes, seen = strip.seen;
  for (let r: usize = 0; r < strip.rows; r++) memory.fill(y + r * yStep, 0, width);
  for (let from: usize = 0; from < seen; from += BLOCK) {
    const to = min(from + BLOCK, seen);
    for (let r: usize = 0; r < strip.rows; r++) {
      addSumOfOne(y + r * yStep, numbers + 4 * r, b + r * bStep, bRow, width, from, to);
    }
  }
}
