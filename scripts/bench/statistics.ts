/** Statistics of measurements: medians, paired ratios and growth exponents. */

/** The median; for an even count, the mean of the two middle numbers. */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new RangeError("median: expected at least one number");
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The mean of at least one number. */
export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** The sample standard deviation of at least two numbers. */
export function spread(numbers: readonly number[]): number {
  const middle = mean(numbers);
  return Math.sqrt(numbers.reduce((sum, number) => sum + (number - middle) ** 2, 0) / (numbers.length - 1));
}

/** Times of one competitor: a list per round, or null for a round it skipped. */
export type RoundTimes = readonly (readonly number[] | null)[];

/** The median of the rounds' medians, so that each round has the same weight regardless of its number of runs. */
export function typical(rounds: RoundTimes): number {
  return median(taken(rounds).map((times) => median(times)));
}

/** The shortest of all times. */
export function best(rounds: RoundTimes): number {
  return taken(rounds).reduce((least, times) => Math.min(least, ...times), Number.POSITIVE_INFINITY);
}

/** The number of rounds in which it took part. */
export function turnsOf(rounds: RoundTimes): number {
  return taken(rounds).length;
}

/**
 * The median over rounds of their time divided by ours. A temporary slowdown of the machine affects both sides of a
 * round and leaves the ratio unchanged. Above 1, ours is faster.
 *
 * @returns null if they share no round
 */
export function sideBySide(theirs: RoundTimes, ours: RoundTimes): number | null {
  const ratios = theirs.flatMap((times, round) => {
    const other = ours[round];
    return times === null || other === null || other === undefined ? [] : [median(times) / median(other)];
  });
  return ratios.length === 0 ? null : median(ratios);
}

/**
 * The exponent k of y ≈ c·xᵏ: the slope of the least-squares line through (ln x, ln y). Needs at least two different
 * x, all positive.
 */
export function growthExponent(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const [meanX, meanY] = [mean(logs.map(([x]) => x)), mean(logs.map(([, y]) => y))];
  let [covariance, variance] = [0, 0];
  for (const [x, y] of logs) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  return covariance / variance;
}

function taken(rounds: RoundTimes): (readonly number[])[] {
  return rounds.filter((times) => times !== null);
}
