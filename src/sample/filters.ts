/**
 * Filters change or remove candidates before one is drawn. Each returns at least one candidate, always including the
 * best, in ascending order of ids. Probabilities are computed over the remaining candidates, so each filter sees them
 * renormalized.
 */
import { exp } from "../math.ts";
import { bestFirst } from "./best-first.ts";
import { type Candidates, highestOf, probabilitiesOf } from "./candidates.ts";
import type { TokenHistory } from "./token-history.ts";

export type Filter = (candidates: Candidates) => Candidates;

/** All tokens so far, including the prompt. */
export type Tokens = readonly number[] | TokenHistory;
export type HistoryFilter = (candidates: Candidates, history: Tokens) => Candidates;

/**
 * Divides logits by a temperature > 0: below 1 sharpens the distribution, above 1 flattens it. The highest logit is
 * subtracted first, (x − highest) / temperature, so no temperature overflows.
 */
export function temper(temperature: number): Filter {
  return ({ ids, logits }) => {
    const highest = highestOf(logits);
    const tempered = new Float64Array(logits.length);
    for (let i = 0; i < logits.length; i++) tempered[i] = (logits[i] - highest) / temperature;
    return { ids, logits: tempered };
  };
}

/** Keeps the k best candidates: exactly k, or all if there are fewer. Source: Fan et al. 2018. */
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
 * How exact float32 logits are: a logit of up to 16 is rounded by up to 2⁻²¹. Rounding errors of ±ε in the logits change
 * the total probability P of a set by up to 2ε·P·(1 − P).
 */
const LOGIT_ERROR = 1 / 2_097_152;

/**
 * Keeps the smallest set of best candidates whose total probability reaches p: at least one, and all for p = 1. Also
 * known as nucleus sampling. A total that falls short of p by no more than the logits' rounding counts as p, so of ten
 * equal candidates p = 0.8 keeps eight. Source: Holtzman et al. 2020.
 */
export function keepTopP(p: number): Filter {
  const enough = p - 2 * LOGIT_ERROR * p * (1 - p);
  return (candidates) => {
    // Rounding can make the sum miss 1, or reach it before the last candidate; for p = 1 neither may matter.
    if (p === 1) return candidates;
    const probabilities = probabilitiesOf(candidates);
    const kept: number[] = [];
    let reached = 0;
    for (const index of bestFirst(candidates.logits)) {
      kept.push(index);
      reached += probabilities[index];
      if (reached >= enough) break;
    }
    return pick(candidates, kept);
  };
}

/**
 * Keeps the candidates that are at least `share` times as probable as the best one: few if the model is confident, many
 * if it is not. 0 keeps all, 1 only the best and its ties. Source: Nguyen et al. 2024, "Turning Up the Heat".
 */
export function keepMinP(share: number): Filter {
  return (candidates) => {
    const { logits } = candidates;
    const highest = highestOf(logits);
    const kept: number[] = [];
    // A ratio of probabilities: the softmax denominator cancels.
    for (let place = 0; place < logits.length; place++) {
      if (exp(logits[place] - highest) >= share) kept.push(place);
    }
    return kept.length === logits.length ? candidates : pick(candidates, kept);
  };
}

/** The candidates at these indices, in ascending order of ids. */
export function pick({ ids, logits }: Candidates, places: readonly number[]): Candidates {
  const ascending = Int32Array.from(places).sort();
  return {
    ids: ascending.map((place) => ids[place]),
    logits: Float64Array.from(ascending, (place) => logits[place]),
  };
}
