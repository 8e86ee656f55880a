/**
 * Alternating turns: in each round every competitor runs for a moment, with a different one first each time. So other
 * load on the machine affects all of them alike.
 */

export interface Player {
  /** Runs `warmUp` untimed times, then `count` times; returns the milliseconds of each. */
  run(count: number, warmUp: number): Promise<number[]>;
  /** Estimated time of one run. */
  readonly expectedMs: number;
}

export interface Pace {
  readonly rounds: number;
  /** Minimum length of a turn, unless a single run is longer. */
  readonly turnMs: number;
  /** A competitor too slow to run in every round within this time skips some rounds. */
  readonly budgetMs: number;
}

/** Minimum number of rounds, even for the slowest competitor. */
const MIN_TURNS = 3;
/** More runs in a turn add no information. */
const MAX_RUNS = 200;
/** Runs longer than this are not affected by cold caches and sleeping threads. */
const LONG_RUN_MS = 400;
/** After a turn, threads of the last competitor may still poll for work for a moment. */
const PAUSE_MS = 20;

/** @returns for each player, in order, the times of each round; null for rounds it skipped */
export async function alternate(players: readonly Player[], pace: Pace): Promise<(number[] | null)[][]> {
  const plans = players.map(({ expectedMs }) => planOf(expectedMs, pace));
  const times: (number[] | null)[][] = players.map(() => []);
  for (let round = 0; round < pace.rounds; round++) {
    for (let offset = 0; offset < players.length; offset++) {
      const i = (offset + round) % players.length;
      const { turns, runs, warmUp } = plans[i];
      if (!takesPart(round, turns, pace.rounds)) {
        times[i].push(null);
        continue;
      }
      times[i].push(await players[i].run(runs, warmUp));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
  return times;
}

/** The number of turns of a player, and the runs per turn. */
export function planOf(
  expectedMs: number,
  { rounds, turnMs, budgetMs }: Pace,
): { turns: number; runs: number; warmUp: number } {
  const runs = Math.min(MAX_RUNS, Math.max(1, Math.ceil(turnMs / expectedMs)));
  const warmUp = expectedMs < LONG_RUN_MS ? 1 : 0;
  const affordable = Math.floor(budgetMs / ((runs + warmUp) * expectedMs));
  const turns = Math.min(rounds, Math.max(MIN_TURNS, affordable));
  return { turns, runs, warmUp };
}

/** Spreads `turns` evenly over the rounds; the last round is always one of them. */
export function takesPart(round: number, turns: number, rounds: number): boolean {
  return Math.floor(((round + 1) * turns) / rounds) > Math.floor((round * turns) / rounds);
}
