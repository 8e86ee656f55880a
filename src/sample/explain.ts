/** Explains why a token was chosen: the model's candidates, the effect of each rule, and the rank of the choice. */
import { bestFirst } from "./best-first.ts";
import { type Candidates, probabilitiesOf } from "./candidates.ts";
import type { Choice, Stage } from "./strategies.ts";

export interface Explanation {
  readonly token: number;
  /** 1 for the model's most probable token. */
  readonly rank: number;
  readonly logProbability: number;
  /** The model's most probable tokens, best first; the chosen token comes last if it is not among them. */
  readonly candidates: readonly ExplainedCandidate[];
  /** The effect of each rule, in order. */
  readonly rules: readonly ExplainedRule[];
}

export interface ExplainedCandidate {
  readonly token: number;
  /** In the model's distribution. */
  readonly probability: number;
  /** In the distribution after all rules; 0 if a rule dropped it. */
  readonly probabilityLeft: number;
  /** The rule that dropped it, or null. */
  readonly droppedBy: string | null;
}

export interface ExplainedRule {
  readonly rule: string;
  readonly value: number;
  /** The number of candidates it dropped, and the best few of them. */
  readonly dropped: number;
  readonly bestDropped: readonly number[];
  /** The number of remaining candidates whose logit it changed, and the best few of them. */
  readonly changed: number;
  readonly bestChanged: readonly number[];
  /** The number of remaining candidates. */
  readonly left: number;
  /** Present if the rule was skipped because it would have dropped every candidate. */
  readonly steppedAside?: true;
}

/**
 * Explains a choice.
 *
 * @param count the number of tokens in each list
 */
export function explain({ token, logProbability, offered, stages }: Choice, count: number): Explanation {
  const order = [...bestFirst(offered.logits)].map((place) => offered.ids[place]);
  const probabilities = probabilitiesOf(offered);
  const left = stages.at(-1)?.left ?? offered;
  const probabilitiesLeft = probabilitiesOf(left);
  const probabilityOf = (id: number, among: Candidates, ofThem: Float64Array) =>
    ofThem[among.ids.indexOf(id)] ?? 0;
  const rank = order.indexOf(token) + 1;
  const named = rank <= count ? order.slice(0, count) : [...order.slice(0, count), token];
  return {
    token,
    rank,
    logProbability,
    candidates: named.map((id) => ({
      token: id,
      probability: probabilityOf(id, offered, probabilities),
      probabilityLeft: probabilityOf(id, left, probabilitiesLeft),
      droppedBy: stages.find((stage) => !stage.left.ids.includes(id))?.rule.name ?? null,
    })),
    rules: stages.map((stage, i) => explainRule(stages[i - 1]?.left ?? offered, stage, count)),
  };
}

function explainRule(before: Candidates, { rule, left, steppedAside }: Stage, count: number): ExplainedRule {
  const logitOf = new Map(Array.from(left.ids, (id, place) => [id, left.logits[place]]));
  const dropped: number[] = [];
  const changed: number[] = [];
  for (const place of bestFirst(before.logits)) {
    const logit = logitOf.get(before.ids[place]);
    if (logit === undefined) dropped.push(before.ids[place]);
    else if (logit !== before.logits[place]) changed.push(before.ids[place]);
  }
  return {
    rule: rule.name,
    value: rule.value,
    dropped: dropped.length,
    bestDropped: dropped.slice(0, count),
    changed: changed.length,
    bestChanged: changed.slice(0, count),
    left: left.ids.length,
    ...(steppedAside && { steppedAside }),
  };
}
