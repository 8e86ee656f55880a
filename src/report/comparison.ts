/**
 * Compares the losses of variations with those of their base. Each seed is a pair: the base and the variation start
 * from the same seed, so what the seed does to both cancels. A paired t-test says whether the mean difference could be
 * chance, and Holm's correction keeps the probability of any false verdict in a table of many variations at 5%.
 */
import { criticalT, twoSidedP } from "../util/student-t.ts";

/** The accepted probability of a false verdict in a table. */
export const LEVEL = 0.05;
/** The probability with which the seeds of `seedsToShow` show the difference. */
export const POWER = 0.8;
/** The highest answer of `seedsToShow`. */
const MOST_SEEDS = 10_000;

/** The losses of a setting in nats, one for each seed, in the order of the seeds; null if a run diverged. */
export type SeedLosses = readonly (number | null)[];

export interface Comparison {
  /** The mean over the seeds of variation − base; negative is better. null if a run diverged. */
  readonly differenceNats: number | null;
  /** The standard deviation of that difference over the seeds; null for fewer than two seeds. */
  readonly differenceSpreadNats: number | null;
  /** The p-value, corrected for the number of variations; null without a test. */
  readonly p: number | null;
  readonly verdict: "better" | "worse" | "no difference shown" | "inconclusive: one seed" | "diverged";
}

/** The mean of numbers. */
export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** The sample standard deviation; null for fewer than two numbers. */
export function spread(numbers: readonly number[]): number | null {
  if (numbers.length < 2) return null;
  const center = mean(numbers);
  const squares = numbers.reduce((sum, number) => sum + (number - center) * (number - center), 0);
  return Math.sqrt(squares / (numbers.length - 1));
}

/**
 * Compares each variation with the base.
 *
 * @param variations losses for the same seeds as the base's, in the same order
 * @example compareWithBase([0.62, 0.61, 0.63], [[0.58, 0.57, 0.6]]) // one comparison: better, p 0.007
 */
export function compareWithBase(base: SeedLosses, variations: readonly SeedLosses[]): Comparison[] {
  const differences = variations.map((losses) => pairedDifferences(base, losses));
  const adjusted = holm(differences.map((pairs) => (pairs === null ? null : pairedP(pairs))));
  return differences.map((pairs, i): Comparison => {
    if (pairs === null)
      return { differenceNats: null, differenceSpreadNats: null, p: null, verdict: "diverged" };
    const differenceNats = mean(pairs);
    const p = adjusted[i];
    const found = { differenceNats, differenceSpreadNats: spread(pairs), p };
    if (p === null) return { ...found, verdict: "inconclusive: one seed" };
    if (p > LEVEL) return { ...found, verdict: "no difference shown" };
    return { ...found, verdict: differenceNats < 0 ? "better" : "worse" };
  });
}

/**
 * About how many seeds show a true difference with probability 0.8, given the spread of the difference over the seeds:
 * the smallest n with √n·difference/spread ≥ t(level/comparisons) + t(power). null if that is more than 10,000.
 *
 * @param comparisons the number of variations in the table
 */
export function seedsToShow(differenceNats: number, spreadNats: number, comparisons: number): number | null {
  const enough = (seeds: number) => {
    const needed = criticalT(LEVEL / comparisons, seeds - 1) + criticalT(2 * (1 - POWER), seeds - 1);
    return Math.sqrt(seeds) * differenceNats >= needed * spreadNats;
  };
  let high = 2;
  while (!enough(high)) {
    high *= 2;
    if (high > MOST_SEEDS) return null;
  }
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** variation − base for each seed; null if a run diverged. */
function pairedDifferences(base: SeedLosses, losses: SeedLosses): number[] | null {
  const pairs = losses.flatMap((loss, seed) => {
    const ofBase = base[seed];
    return loss === null || ofBase === null ? [] : [loss - ofBase];
  });
  return pairs.length < losses.length || pairs.length === 0 ? null : pairs;
}

/** The two-sided p-value of the paired t-test; null for fewer than two pairs. */
function pairedP(pairs: readonly number[]): number | null {
  const deviation = spread(pairs);
  if (deviation === null) return null;
  const center = mean(pairs);
  if (center === 0) return 1;
  return twoSidedP((Math.sqrt(pairs.length) * center) / deviation, pairs.length - 1);
}

/**
 * P-values corrected for their number: the smallest times n, the next times n − 1, and so on, never below one before
 * it. Rejecting those up to a level keeps the probability of any false rejection at that level. Source: Holm 1979.
 */
function holm(values: readonly (number | null)[]): (number | null)[] {
  const tested = values.flatMap((p, place) => (p === null ? [] : [{ p, place }]));
  tested.sort((a, b) => a.p - b.p);
  const adjusted: (number | null)[] = values.map(() => null);
  let highest = 0;
  for (const [rank, { p, place }] of tested.entries()) {
    highest = Math.max(highest, Math.min(1, p * (tested.length - rank)));
    adjusted[place] = highest;
  }
  return adjusted;
}
