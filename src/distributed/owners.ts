/**
 * Shares out tensors among ranks, whole, so that all ranks get about as many numbers: the largest tensor first, each to
 * the rank that has the fewest numbers so far. No rank gets more than 4/3 of the least that is possible.
 * Source: R. L. Graham, "Bounds on multiprocessing timing anomalies", 1969.
 *
 * @param sizes the numbers of each tensor
 * @returns the rank of each tensor, the same on every machine
 * @example ownersOf([3, 5, 3], 2) // [1, 0, 1]
 */
export function ownersOf(sizes: readonly number[], ranks: number): number[] {
  const loads = Array.from({ length: ranks }, () => 0);
  const owners = sizes.map(() => 0);
  // The sort is stable: of equal tensors, and of equal ranks, the first comes first.
  const largestFirst = [...sizes.keys()].sort((a, b) => sizes[b] - sizes[a]);
  for (const tensor of largestFirst) {
    const least = loads.reduce((best, load, rank) => (load < loads[best] ? rank : best), 0);
    owners[tensor] = least;
    loads[least] += sizes[tensor];
  }
  return owners;
}
