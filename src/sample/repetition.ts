/**
 * Filters against repetition: they look at what has been written, the prompt and the generated tokens, also those
 * that the context has forgotten. Unlike the other filters they can take the best candidate's place away.
 */
import type { Candidates } from "./candidates.ts";
import { type HistoryFilter, pick } from "./filters.ts";

/**
 * Makes every token of the history less likely: x / penalty where its logit x is positive, x · penalty where it is
 * negative. 1 changes nothing, and below 1 repetition is favored.
 *
 * The paper divides in both cases, which would make a token of negative logit more likely; multiplying is what is
 * done in the field. Where 0 lies among logits therefore matters here, and nowhere else in sampling. Source: Keskar
 * et al. 2019 (CTRL), §4.1.
 *
 * @param penalty > 0
 */
export function penalizeRepetition(penalty: number): HistoryFilter {
  return ({ ids, logits }, history) => {
    const seen = new Set(history);
    const penalized = (logit: number) => finite(logit > 0 ? logit / penalty : logit * penalty);
    return { ids, logits: logits.map((logit, i) => (seen.has(ids[i]) ? penalized(logit) : logit)) };
  };
}

/**
 * Drops every token that would complete a run of n tokens which the history already holds. For n = 1 no token comes
 * twice. Where that would leave no candidate, all stay: a repetition is better than no text at all. Source: Paulus
 * et al. 2018, §2.5, for n = 3.
 *
 * @param n ≥ 1
 */
export function forbidRepeats(n: number): HistoryFilter {
  return (candidates, history) => {
    const kept = newAmong(candidates, history, n);
    return kept.length === 0 || kept.length === candidates.ids.length ? candidates : pick(candidates, kept);
  };
}

/** Whether `forbidRepeats` lets all candidates stay because it would drop them all. */
export function forbidsAll(n: number): (candidates: Candidates, history: readonly number[]) => boolean {
  return (candidates, history) => newAmong(candidates, history, n).length === 0;
}

/** The places of candidates that complete no run which the history already holds. */
function newAmong({ ids }: Candidates, history: readonly number[], n: number): number[] {
  const repeats = completions(history, n);
  return Array.from(ids.keys()).filter((place) => !repeats.has(ids[place]));
}

/** The tokens that came after each earlier occurrence of the newest n−1 tokens. */
function completions(history: readonly number[], n: number): Set<number> {
  const newest = history.length - (n - 1);
  const found = new Set<number>();
  for (let start = 0; start < newest; start++) {
    let same = 0;
    while (same < n - 1 && history[start + same] === history[newest + same]) same++;
    if (same === n - 1) found.add(history[start + n - 1]);
  }
  return found;
}

/** A huge or tiny penalty must not make a token certain, nor all of them impossible. */
function finite(logit: number): number {
  return Math.min(Math.max(logit, -Number.MAX_VALUE), Number.MAX_VALUE);
}
