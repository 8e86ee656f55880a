/** What is made of measured numbers: the middle, ratios taken side by side, and how fast something grows. */

/** The middle of the sorted numbers; the mean of the two middle ones where their count is even. */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new RangeError("median: there are no numbers");
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** At least one number. */
export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** The standard deviation of what the numbers are drawn from, as two or more of them tell it. */
export function spread(numbers: readonly number[]): number {
  const middle = mean(numbers);
  return Math.sqrt(numbers.reduce((sum, number) => sum + (number - middle) ** 2, 0) / (numbers.length - 1));
}

/** Times of one competitor: a list for each round, and null for rounds that it sat out. */
export type RoundTimes = readonly (readonly number[] | null)[];

/** The middle of the rounds' middles, so that a round counts once however many runs fit into it. */
export function typical(rounds: RoundTimes): number {
  return median(taken(rounds).map((times) => median(times)));
}

/** The shortest of all times. */
export function best(rounds: RoundTimes): number {
  return taken(rounds).reduce((least, times) => Math.min(least, ...times), Number.POSITIVE_INFINITY);
}

/** How many rounds it took part in. */
export function turnsOf(rounds: RoundTimes): number {
  return taken(rounds).length;
}

/**
 * Theirs over ours, round by round, and the middle of that: what slows the machine for a while slows both sides of
 * a round, and leaves the ratio as it is. Above 1 is ours ahead.
 *
 * @returns null when they never met
 */
export function sideBySide(theirs: RoundTimes, ours: RoundTimes): number | null {
  const ratios = theirs.flatMap((times, round) => {
    const other = ours[round];
    return times === null || other === null || other === undefined ? [] : [median(times) / median(other)];
  });
  return ratios.length === 0 ? null : median(ratios);
}

/** k of y ≈ c·xᵏ: the derivative of the least-squares line through (ln x, ln y). At least two different x, all positive. */
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
