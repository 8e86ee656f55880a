/** Pearson's chi-squared test: whether draws are consistent with a distribution. */

/** Critical values of Σ (seen − expected)² / expected at the 0.1% level, by degrees of freedom from 1. */
const CRITICAL_VALUES = [
  10.828, 13.816, 16.266, 18.467, 20.515, 22.458, 24.322, 26.124, 27.877, 29.588, 31.264, 32.909,
];

/**
 * Whether the counts of draws fit the probabilities, at the 0.1% level. An outcome with probability 0 must never be
 * drawn. Each other outcome must have an expected count of at least 5.
 */
export function follows(counts: readonly number[], probabilities: readonly number[]): boolean {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  let statistic = 0;
  let categories = 0;
  for (const [i, probability] of probabilities.entries()) {
    if (probability === 0) {
      if (counts[i] > 0) return false;
      continue;
    }
    const expected = draws * probability;
    if (expected < 5) throw new Error(`only ${expected} draws are expected of ${i}: draw more`);
    statistic += (counts[i] - expected) ** 2 / expected;
    categories++;
  }
  if (categories < 2) return true;
  return statistic <= CRITICAL_VALUES[categories - 2];
}
