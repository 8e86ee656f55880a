/**
 * Filters: what reshapes or thins out the candidates before one is drawn. Each takes candidates and returns new
 * ones, at least one of them, the best among them, in ascending order of ids. Probabilities are always those of
 * the candidates that are left, so a filter after another sees them renormalized.
 */
import { exp } from "../math.ts";
import { bestFirst } from "./best-first.ts";
import { type Candidates, highestOf, probabilitiesOf } from "./candidates.ts";

export type Filter = (candidates: Candidates) => Candidates;

/** @param history every token before the one to choose, the prompt's too */
export type HistoryFilter = (candidates: Candidates, history: readonly number[]) => Candidates;

/**
 * Divides logits by a temperature > 0: below 1 the probable become more probable, above 1 less so. They are
 * counted from the highest, (x − highest) / temperature, so that no temperature overflows.
 */
export function temper(temperature: number): Filter {
  return ({ ids, logits }) => {
    const highest = highestOf(logits);
    const tempered = new Float64Array(logits.length);
    for (let i = 0; i < logits.length; i++) tempered[i] = (logits[i] - highest) / temperature;
    return { ids, logits: tempered };
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

/**
 * Keeps the candidates that are at least `share` times as probable as the best one: few where the model is sure,
 * many where it is not. At 0 all, at 1 the best and its equals. Source: Nguyen et al. 2024, "Turning Up the Heat".
 */
export function keepMinP(share: number): Filter {
  return (candidates) => {
    const { logits } = candidates;
    const highest = highestOf(logits);
    const kept: number[] = [];
    // A ratio of probabilities: the sum by which both are divided falls out.
    for (let place = 0; place < logits.length; place++) {
      if (exp(logits[place] - highest) >= share) kept.push(place);
    }
    return kept.length === logits.length ? candidates : pick(candidates, kept);
  };
}

/** The candidates at some places, in ascending order of ids again. */
export function pick({ ids, logits }: Candidates, places: readonly number[]): Candidates {
  const ascending = Int32Array.from(places).sort();
  return {
    ids: ascending.map((place) => ids[place]),
    logits: Float64Array.from(ascending, (place) => logits[place]),
  };
}
