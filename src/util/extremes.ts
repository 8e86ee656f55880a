/**
 * The largest of the values, however many there are. `Math.max(...values)` overflows the stack beyond about 65,000.
 *
 * @param start the result if no value is larger
 */
export function largestOf(values: Iterable<number>, start = Number.NEGATIVE_INFINITY): number {
  let largest = start;
  for (const value of values) largest = Math.max(largest, value);
  return largest;
}

/**
 * The smallest of the values, however many there are.
 *
 * @param start the result if no value is smaller
 */
export function smallestOf(values: Iterable<number>, start = Number.POSITIVE_INFINITY): number {
  let smallest = start;
  for (const value of values) smallest = Math.min(smallest, value);
  return smallest;
}
