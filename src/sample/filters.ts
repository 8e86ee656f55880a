/**
 * Filters: what reshapes or thins out the candidates before one is drawn. Each takes candidates and returns new
 * ones, at least one of them, the best among them, in ascending order of ids. Probabilities are always those of
 * the candidates that are left, so a filter after another sees them renormalised.
 */
import { type Candidates, highestOf, probabilitiesOf } from "./candidates.ts";

export type Filter = (candidates: Candidates) => Candidates;

/**
 * Divides logits by a temperature > 0: below 1 the probable become more probable, above 1 less so. They are
 * counted from the highest, (x − highest) / temperature, so that no temperature overflows.
 */
export function temper(temperature: number): Filter {
  return ({ ids, logits }) => {
    const highest = highestOf(logits);
    return { ids, logits: logits.map((logit) => (logit - highest) / temperature) };
  };
}

/** Keeps the k best candidates: exactly k, or all when there are fewer. Source: Fan et al. 2018. */
export function keepTopK(k: number): Filter {
  return (candidates) => {
    if (candidates.ids.length <= k) return candidates;
    const kept: number[] = [];
    for (const index of bestFirst(candidates.logits)) {
      kept.push(index);
      if (kept.length === k) break;
    }
    return pick(candidates, kept);
  };
}

/**
 * Keeps the smallest set of best candidates whose probabilities together reach p; at least one, and all for
 * p = 1. Source: Holtzman et al. 2020, where it is called nucleus sampling.
 */
export function keepTopP(p: number): Filter {
  return (candidates) => {
    // Probabilities that sum to 1 − 2⁻⁵³ or to 1 before the last must not make a difference.
    if (p === 1) return candidates;
    const probabilities = probabilitiesOf(candidates);
    const kept: number[] = [];
    let reached = 0;
    for (const index of bestFirst(candidates.logits)) {
      kept.push(index);
      reached += probabilities[index];
      if (reached >= p) break;
    }
    return pick(candidates, kept);
  };
}

/** The candidates at some places, in ascending order of ids again. */
function pick({ ids, logits }: Candidates, places: readonly number[]): Candidates {
  const ascending = Int32Array.from(places).sort();
  return {
    ids: ascending.map((place) => ids[place]),
    logits: Float64Array.from(ascending, (place) => logits[place]),
  };
}

/**
 * Places in descending order of their logits, equal ones in ascending order. A binary heap: n steps to begin
 * with and log n for each place taken, so taking few of many is cheap.
 */
function* bestFirst(logits: Float64Array): Generator<number> {
  const heap = new Int32Array(logits.length);
  for (let place = 0; place < heap.length; place++) heap[place] = place;
  const precedes = (a: number, b: number) => logits[a] > logits[b] || (logits[a] === logits[b] && a < b);
  /** Lets the entry at `node` sink below every child that precedes it. */
  const sink = (node: number, size: number) => {
    const sinking = heap[node];
    for (let child = 2 * node + 1; child < size; child = 2 * node + 1) {
      if (child + 1 < size && precedes(heap[child + 1], heap[child])) child++;
      if (!precedes(heap[child], sinking)) break;
      heap[node] = heap[child];
      node = child;
    }
    heap[node] = sinking;
  };
  for (let node = (heap.length >> 1) - 1; node >= 0; node--) sink(node, heap.length);
  for (let size = heap.length; size > 0; size--) {
    yield heap[0];
    heap[0] = heap[size - 1];
    sink(0, size - 1);
  }
}
