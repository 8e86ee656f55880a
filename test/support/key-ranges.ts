/** Key ranges by their definition, and random padding for tests of them. */
import fc from "fast-check";
import type { KeyRange } from "../../src/backend/backend.ts";

export function sees({ start, end, diagonal }: KeyRange, query: number, key: number): boolean {
  return start <= key && key < Math.min(end, diagonal + query + 1);
}

/** Rows of one batch: T, and where each row's tokens are. */
export const paddedRows = fc
  .integer({ min: 1, max: 7 })
  .chain((positions) =>
    fc.record({
      positions: fc.constant(positions),
      rows: fc.array(fc.tuple(fc.nat(positions), fc.nat(positions)), { minLength: 1, maxLength: 3 }),
    }),
  )
  .map(({ positions, rows }) => ({
    positions,
    padding: { starts: rows.map((row) => Math.min(...row)), ends: rows.map((row) => Math.max(...row)) },
  }));
