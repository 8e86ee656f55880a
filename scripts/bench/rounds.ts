/**
 * Turns: each round, every competitor runs for a moment, then the next does, each time another first. So whatever
 * else the machine does falls on all of them alike.
 */

export interface Player {
  /** Runs `count` times after `warmUp` runs that are not counted; gives milliseconds of each. */
  run(count: number, warmUp: number): Promise<number[]>;
  /** What one run takes, about. */
  readonly expectedMs: number;
}

export interface Pace {
  readonly rounds: number;
  /** A turn lasts at least so long, unless a single run does. */
  readonly turnMs: number;
  /** A competitor too slow for every round within this time sits some out. */
  readonly budgetMs: number;
}

/** Rounds that even the slowest takes part in. */
const FEWEST_TURNS = 3;
/** More runs in a turn tell nothing new. */
const MOST_RUNS = 200;
/** A run so long does not notice that caches are cold and threads asleep. */
const LONG_RUN_MS = 400;
/** After a turn, threads of the one that had it may still look for work for a moment. */
const PAUSE_MS = 20;

/** @returns for each player, in order, the times of each round; null for the rounds it sat out */
export async function alternate(players: readonly Player[], pace: Pace): Promise<(number[] | null)[][]> {
  const plans = players.map(({ expectedMs }) => planOf(expectedMs, pace));
  const times: (number[] | null)[][] = players.map(() => []);
  for (let round = 0; round < pace.rounds; round++) {
    for (let seat = 0; seat < players.length; seat++) {
      const i = (seat + round) % players.length;
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

/** How often a player's turn comes, and what it does in it. */
export function planOf(
  expectedMs: number,
  { rounds, turnMs, budgetMs }: Pace,
): { turns: number; runs: number; warmUp: number } {
  const runs = Math.min(MOST_RUNS, Math.max(1, Math.ceil(turnMs / expectedMs)));
  const warmUp = expectedMs < LONG_RUN_MS ? 1 : 0;
  const affordable = Math.floor(budgetMs / ((runs + warmUp) * expectedMs));
  const turns = Math.min(rounds, Math.max(FEWEST_TURNS, affordable));
  return { turns, runs, warmUp };
}

/** Spreads `turns` evenly over the rounds; the last round is always one of them. */
export function takesPart(round: number, turns: number, rounds: number): boolean {
  return Math.floor(((round + 1) * turns) / rounds) > Math.floor((round * turns) / rounds);
}
