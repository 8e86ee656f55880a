import { expect, test } from "vitest";
import { alternate, type Player, planOf, takesPart } from "../../../scripts/bench/rounds.ts";

const pace = { rounds: 11, turnMs: 150, budgetMs: 20_000 };

test("fast competitors run often in every round, slow ones once in some rounds", () => {
  expect(planOf(1, pace)).toEqual({ turns: 11, runs: 150, warmUp: 1 });
  expect(planOf(0.01, pace).runs).toBe(200);
  expect(planOf(100, pace)).toEqual({ turns: 11, runs: 2, warmUp: 1 });
  // At 4 seconds each, five fit into the budget.
  expect(planOf(4000, pace)).toEqual({ turns: 5, runs: 1, warmUp: 0 });
  expect(planOf(60_000, pace)).toEqual({ turns: 3, runs: 1, warmUp: 0 });
  expect(planOf(60_000, { ...pace, rounds: 2 }).turns).toBe(2);
});

test.each([
  [1, 11],
  [3, 11],
  [5, 7],
  [11, 11],
])("%d turns are spread over %d rounds", (turns, rounds) => {
  const taken = Array.from({ length: rounds }, (_, round) => round).filter((round) =>
    takesPart(round, turns, rounds),
  );
  expect(taken).toHaveLength(turns);
  const gaps = taken.map((round, i) => round - (taken[i - 1] ?? -1));
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
});

test("every player runs once per round in rotating order; a skipped round is null", async () => {
  const log: string[] = [];
  const player = (name: string, expectedMs: number): Player => ({
    expectedMs,
    run: async (count, warmUp) => {
      log.push(name);
      expect(warmUp).toBe(expectedMs < 400 ? 1 : 0);
      return new Array<number>(count).fill(expectedMs);
    },
  });
  const players = [player("a", 5), player("b", 7), player("slow", 9000)];
  const times = await alternate(players, { rounds: 4, turnMs: 10, budgetMs: 1000 });
  expect(log).toEqual(["a", "b", "b", "slow", "a", "slow", "a", "b", "a", "b", "slow"]);
  expect(times[0]).toEqual([
    [5, 5],
    [5, 5],
    [5, 5],
    [5, 5],
  ]);
  expect(times[2]).toEqual([null, [9000], [9000], [9000]]);
});
