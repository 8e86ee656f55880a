import fc from "fast-check";
import { expect, it } from "vitest";
import { ownersOf } from "../../src/distributed/owners.ts";

it.each([
  [[3, 5, 3], 2, [1, 0, 1]],
  [[1, 1, 1, 1], 2, [0, 1, 0, 1]],
  [[10, 1, 2, 3], 3, [0, 2, 2, 1]],
  [[7], 3, [0]],
  [[], 2, []],
  [[4, 2], 1, [0, 0]],
])("tensors of %j numbers on %i ranks: %j", (sizes, ranks, owners) => {
  expect(ownersOf(sizes, ranks)).toEqual(owners);
});

/** The most numbers that a rank gets in the best of all assignments, by trying them. */
function leastMost(sizes: readonly number[], loads: readonly number[]): number {
  if (sizes.length === 0) return Math.max(...loads);
  const [first, ...rest] = sizes;
  return Math.min(...loads.map((_, rank) => leastMost(rest, loads.with(rank, loads[rank] + first))));
}

it("no rank gets more than Graham's bound, 4/3 − 1/(3 · ranks) times the least that is possible", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 3 }),
      (sizes, ranks) => {
        const loads = Array.from({ length: ranks }, () => 0);
        for (const [i, owner] of ownersOf(sizes, ranks).entries()) loads[owner] += sizes[i];
        const best = leastMost(
          sizes,
          loads.map(() => 0),
        );
        expect(Math.max(...loads)).toBeLessThanOrEqual((4 / 3 - 1 / (3 * ranks)) * best + 1e-9);
      },
    ),
    { numRuns: 50, seed: 3 },
  );
});
