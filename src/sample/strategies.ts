/**
 * Strategies: from the logits of a position and seeded randomness to the token that follows.
 *
 * Rules reshape and thin out the candidates, always in this order:
 *
 *   1. repetition penalty   tokens seen before become less likely
 *   2. no-repeat n-gram     tokens that would repeat a run of n drop out
 *   3. temperature          logits are divided
 *   4. top-k                the k most probable stay
 *   5. top-p                the fewest that reach a probability stay
 *   6. min-p                those near enough to the most probable stay
 *
 * Each sees the probabilities that those before it have left. Then one is drawn. Greedy takes the best after rule 2.
 */
import type { Random } from "../random.ts";
import { argmax, type Candidates, candidatesOf, logProbabilitiesOf, probabilitiesOf } from "./candidates.ts";
import { type HistoryFilter, keepMinP, keepTopK, keepTopP, temper } from "./filters.ts";
import { forbidRepeats, forbidsAll, penalizeRepetition } from "./repetition.ts";
import { isSet, type RepetitionSettings, type SampleSettings } from "./settings.ts";

/** A filter, and what people call it. */
export interface Rule {
  readonly name: string;
  /** What it is set to. */
  readonly value: number;
  readonly filter: HistoryFilter;
  /** Whether it does nothing because it would leave nothing; left out by rules that never would. */
  readonly stepsAside?: (candidates: Candidates, history: readonly number[]) => boolean;
}

/** A token that was chosen, and how it came to that. */
export interface Choice {
  readonly token: number;
  /** ln p of the token by the model's own distribution, before any rule. */
  readonly logProbability: number;
  /** What the model offered. */
  readonly offered: Candidates;
  /** What each rule left, in order. */
  readonly stages: readonly Stage[];
}

export interface Stage {
  readonly rule: Rule;
  readonly left: Candidates;
  /** Whether the rule did nothing because it would have left nothing. */
  readonly steppedAside: boolean;
}

/**
 * The token that follows.
 *
 * @param logits   one for each token of the vocabulary; −∞ is never chosen, and +∞ before all else
 * @param history  every token so far, the prompt's too
 * @param settings in range, as `checkSampleSettings` sees to
 * @param random   gives one uniform number for a drawn token, and none for a greedy one
 * @throws LogitsError when a logit is NaN, or all are −∞
 */
export function choose(
  logits: ArrayLike<number>,
  history: readonly number[],
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

  /** Computed for those who ask: it takes as long as the draw. */
  get logProbability(): number {
    return logProbabilitiesOf(this.offered)[this.offered.ids.indexOf(this.token)];
  }
}

function isGreedy({ strategy, temperature }: SampleSettings): boolean {
  return strategy === "greedy" || temperature === 0;
}

/** What happens before the choice, in this order. */
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

/** The rules that every strategy heeds. */
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

/** Runs rules one after the other and keeps what each leaves: the one trail that is chosen from and explained by. */
export function applyRules(
  rules: readonly Rule[],
  offered: Candidates,
  history: readonly number[],
): readonly Stage[] {
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

/** The candidate of the highest logit; the lowest id among equals. */
export function mostProbable({ ids, logits }: Candidates): number {
  return ids[argmax(logits)];
}

/**
 * The first candidate at which the sum of probabilities, over ascending ids, exceeds u: each is drawn as often as
 * it is probable, and one of probability 0 never.
 *
 * @param u uniform in [0, 1)
 */
export function draw(candidates: Candidates, u: number): number {
  const probabilities = probabilitiesOf(candidates);
  let token = candidates.ids[0];
  let sum = 0;
  for (let i = 0; i < probabilities.length && sum <= u; i++) {
    sum += probabilities[i];
    // Rounding may leave the whole sum just below u: then the last token that is possible stands.
    if (probabilities[i] > 0) token = candidates.ids[i];
  }
  return token;
}
