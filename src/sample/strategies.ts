/**
 * Chooses the next token from the logits of a position, with seeded randomness.
 *
 * Rules change or remove candidates, always in this order:
 *
 *   1. repetition penalty   makes tokens that already occurred less likely
 *   2. no-repeat n-gram     removes tokens that would repeat a run of n tokens
 *   3. temperature          divides the logits
 *   4. top-k                keeps the k most probable
 *   5. top-p                keeps the fewest that together reach a probability
 *   6. min-p                keeps those with a minimum share of the highest probability
 *
 * Each rule sees the probabilities after the rules before it. Then one candidate is drawn. Greedy chooses the best
 * candidate after rule 2.
 */
import type { Random } from "../random.ts";
import { argmax, type Candidates, candidatesOf, logProbabilitiesOf, probabilitiesOf } from "./candidates.ts";
import { type HistoryFilter, keepMinP, keepTopK, keepTopP, type Tokens, temper } from "./filters.ts";
import { forbidRepeats, forbidsAll, penalizeRepetition } from "./repetition.ts";
import { isSet, type RepetitionSettings, type SampleSettings } from "./settings.ts";

/** A filter with a name for people. */
export interface Rule {
  readonly name: string;
  /** The value of its setting. */
  readonly value: number;
  readonly filter: HistoryFilter;
  /** Whether it does nothing because it would drop every candidate. Omitted by rules that always leave one. */
  readonly stepsAside?: (candidates: Candidates, history: Tokens) => boolean;
}

/** The chosen token and how it was chosen. */
export interface Choice {
  readonly token: number;
  /** ln p of the token in the model's distribution, before any rule. */
  readonly logProbability: number;
  /** The model's candidates, before any rule. */
  readonly offered: Candidates;
  /** The candidates after each rule, in order. */
  readonly stages: readonly Stage[];
}

export interface Stage {
  readonly rule: Rule;
  readonly left: Candidates;
  /** Whether the rule did nothing because it would have dropped every candidate. */
  readonly steppedAside: boolean;
}

/**
 * Chooses the next token.
 *
 * @param logits   one for each token of the vocabulary; −∞ is never chosen, +∞ always wins
 * @param history  all tokens so far, including the prompt; rules against repetition are fast on a `TokenHistory`
 * @param settings must pass `checkSampleSettings`
 * @param random   consumes one uniform number for "sample", none for "greedy"
 * @throws LogitsError if a logit is NaN, or all are −∞
 */
export function choose(
  logits: ArrayLike<number>,
  history: Tokens,
  settings: SampleSettings,
  random: Random,
): Choice {
  const offered = candidatesOf(logits);
  const stages = applyRules(rulesOf(settings), offered, history);
  const left = stages.at(-1)?.left ?? offered;
  const token = isGreedy(settings) ? mostProbable(left) : draw(left, random.uniform());
  return new Chosen(token, offered, stages);
}

class Chosen implements Choice {
  readonly token: number;
  readonly offered: Candidates;
  readonly stages: readonly Stage[];

  constructor(token: number, offered: Candidates, stages: readonly Stage[]) {
    this.token = token;
    this.offered = offered;
    this.stages = stages;
  }

  /** Computed on demand, because it takes as long as the draw. */
  get logProbability(): number {
    return logProbabilitiesOf(this.offered)[this.offered.ids.indexOf(this.token)];
  }
}

function isGreedy({ strategy, temperature }: SampleSettings): boolean {
  return strategy === "greedy" || temperature === 0;
}

/** The rules for these settings, in order. */
export function rulesOf(settings: SampleSettings): Rule[] {
  const { temperature, topK, topP, minP } = settings;
  const rules = repetitionRulesOf(settings);
  if (isGreedy(settings)) return rules;
  rules.push({ name: "temperature", value: temperature, filter: temper(temperature) });
  if (isSet(topK)) rules.push({ name: "top-k", value: topK, filter: keepTopK(topK) });
  if (isSet(topP)) rules.push({ name: "top-p", value: topP, filter: keepTopP(topP) });
  if (isSet(minP)) rules.push({ name: "min-p", value: minP, filter: keepMinP(minP) });
  return rules;
}

/** The rules that apply to every strategy. */
export function repetitionRulesOf({ repetitionPenalty, noRepeatNgram }: RepetitionSettings): Rule[] {
  const rules: Rule[] = [];
  if (isSet(repetitionPenalty)) {
    const filter = penalizeRepetition(repetitionPenalty);
    rules.push({ name: "repetition penalty", value: repetitionPenalty, filter });
  }
  if (isSet(noRepeatNgram)) {
    rules.push({
      ...{ name: "no-repeat n-gram", value: noRepeatNgram },
      ...{ filter: forbidRepeats(noRepeatNgram), stepsAside: forbidsAll(noRepeatNgram) },
    });
  }
  return rules;
}

/** Applies rules in order and returns the candidates after each one. Choosing and explaining both use this record. */
export function applyRules(rules: readonly Rule[], offered: Candidates, history: Tokens): readonly Stage[] {
  const stages: Stage[] = [];
  let left = offered;
  for (const rule of rules) {
    const before = left;
    left = rule.filter(before, history);
    const steppedAside = left === before && rule.stepsAside?.(before, history) === true;
    stages.push({ rule, left, steppedAside });
  }
  return stages;
}

/** The candidate with the highest logit; the lowest id if there are ties. */
export function mostProbable({ ids, logits }: Candidates): number {
  return ids[argmax(logits)];
}

/**
 * The first candidate at which the cumulative probability, over ascending ids, exceeds u. Each candidate is drawn with
 * its probability, and a candidate with probability 0 never.
 *
 * @param u uniform in [0, 1)
 */
export function draw(candidates: Candidates, u: number): number {
  const probabilities = probabilitiesOf(candidates);
  let token = candidates.ids[0];
  let sum = 0;
  for (let i = 0; i < probabilities.length && sum <= u; i++) {
    sum += probabilities[i];
    // Rounding may leave the total just below u: then the last token with p > 0 is chosen.
    if (probabilities[i] > 0) token = candidates.ids[i];
  }
  return token;
}
