/** Every mask against its definition: who sees whom, pair by pair. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { cachedMask, crossMask, selfMask } from "../../../src/nn/inputs/mask.ts";
import type { KeyRange } from "../../../src/ops/internal/key-window.ts";

const sees = ({ from, end, diagonal }: KeyRange, query: number, key: number) =>
  from <= key && key < Math.min(end, diagonal + query + 1);

/** Rows of one batch: T, and where each row's tokens stand. */
const padded = fc
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

test("without padding, the kind is the mask", () => {
  expect(selfMask("causal", undefined, 5)).toBe("causal");
  expect(crossMask(undefined, 5)).toBe("none");
  expect(cachedMask([3, 3], undefined, 2)).toBe("causal");
});

test.each(["causal", "none"] as const)("self-attention, %s: a token sees its own row's tokens", (kind) => {
  fc.assert(
    fc.property(padded, ({ positions, padding }) => {
      const mask = selfMask(kind, padding, positions);
      padding.starts.forEach((start, b) => {
        const isToken = (place: number) => start <= place && place < padding.ends[b];
        for (let query = 0; query < positions; query++) {
          for (let key = 0; key < positions; key++) {
            if (!isToken(query) && isToken(key)) continue; // What padding sees does not matter,
            const expected = isToken(key) && (kind === "none" || key <= query);
            expect(typeof mask !== "string" && sees(mask[b], query, key)).toBe(expected);
          }
        }
      });
    }),
  );
});

test("with a cache, a token sees what its row holds, then its own row's tokens up to itself", () => {
  fc.assert(
    fc.property(
      padded,
      fc.array(fc.nat(5), { minLength: 3, maxLength: 3 }),
      ({ positions, padding }, held) => {
        const cached = padding.starts.map((_, b) => held[b]);
        const mask = cachedMask(cached, padding, positions);
        cached.forEach((length, b) => {
          for (let query = padding.starts[b]; query < padding.ends[b]; query++) {
            const place = length + query - padding.starts[b];
            for (let key = 0; key < 12; key++) {
              expect(typeof mask !== "string" && sees(mask[b], query, key)).toBe(key <= place);
            }
          }
        });
      },
    ),
  );
});

test("rows of unequal lengths need windows even without padding", () => {
  expect(cachedMask([3, 1], undefined, 2)).toEqual([
    { from: 0, end: 5, diagonal: 3 },
    { from: 0, end: 3, diagonal: 1 },
  ]);
});
