/**
 * Filters against repetition. They see all tokens so far, prompt and generated, including those that no longer fit in
 * the context. Unlike the other filters, they can change which candidate is best.
 */
import type { Candidates } from "./candidates.ts";
import { type HistoryFilter, pick, type Tokens } from "./filters.ts";
import { TokenHistory } from "./token-history.ts";

/**
 * Makes every token of the history less likely: a positive logit is divided by the penalty, a negative one multiplied.
 * 1 changes nothing, and a value below 1 favors repetition.
 *
 * The paper divides in both cases, which would make tokens with negative logits more likely; common implementations
 * multiply. As a result, this is the only rule that depends on where the logits' zero is. Source: Keskar et al. 2019
 * (CTRL), §4.1.
 *
 * @param penalty > 0
 */
export function penalizeRepetition(penalty: number): HistoryFilter {
  return ({ ids, logits }, history) => {
    const seen = history instanceof TokenHistory ? history : new Set(history);
    const penalized = (logit: number) => finite(logit > 0 ? logit / penalty : logit * penalty);
    return { ids, logits: logits.map((logit, i) => (seen.has(ids[i]) ? penalized(logit) : logit)) };
  };
}

/**
 * Drops every token that would complete an n-gram that is already in the history. With n = 1, no token repeats. If that
 * would drop every candidate, all stay: repeating is better than generating nothing. Source: Paulus et al. 2018, §2.5,
 * for n = 3.
 *
 * @param n ≥ 1
 */
export function forbidRepeats(n: number): HistoryFilter {
  return (candidates, history) => {
    const kept = newAmong(candidates, history, n);
    return kept.length === 0 || kept.length === candidates.ids.length ? candidates : pick(candidates, kept);
  };
}

/** Whether `forbidRepeats` would drop every candidate, and therefore drops none. */
export function forbidsAll(n: number): (candidates: Candidates, history: Tokens) => boolean {
  return (candidates, history) => newAmong(candidates, history, n).length === 0;
}

/** The indices of candidates that do not complete an n-gram of the history. */
function newAmong({ ids }: Candidates, history: Tokens, n: number): number[] {
  const repeats = history instanceof TokenHistory ? history.followers(n) : completions(history, n);
  return Array.from(ids.keys()).filter((place) => !repeats.has(ids[place]));
}

/** The tokens that followed each earlier occurrence of the newest n−1 tokens, by definition. */
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

/** Clamps a logit, so that an extreme penalty cannot make one token certain or all of them impossible. */
function finite(logit: number): number {
  return Math.min(Math.max(logit, -Number.MAX_VALUE), Number.MAX_VALUE);
}
