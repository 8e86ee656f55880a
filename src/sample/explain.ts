/** Why a token was chosen: what the model offered, what each rule did to it, and where the choice stood. */
import { bestFirst } from "./best-first.ts";
import { type Candidates, probabilitiesOf } from "./candidates.ts";
import type { Choice, Stage } from "./strategies.ts";

export interface Explanation {
  readonly token: number;
  /** 1 for the token that the model holds most probable. */
  readonly rank: number;
  readonly logProbability: number;
  /** What the model holds most probable, best first; the chosen token stands at the end when it is not among it. */
  readonly candidates: readonly ExplainedCandidate[];
  /** What each rule did, in order. */
  readonly rules: readonly ExplainedRule[];
}

export interface ExplainedCandidate {
  readonly token: number;
  /** By the model's own distribution. */
  readonly probability: number;
  /** Among what the rules have left; 0 when it is not among it. */
  readonly probabilityLeft: number;
  /** The rule that dropped it; null when none did. */
  readonly droppedBy: string | null;
}

export interface ExplainedRule {
  readonly rule: string;
  readonly value: number;
  /** How many candidates it dropped, and the best few of them. */
  readonly dropped: number;
  readonly bestDropped: readonly number[];
  /** How many of those left have another logit than before, and the best few of them. */
  readonly changed: number;
  readonly bestChanged: readonly number[];
  /** How many candidates it left. */
  readonly left: number;
  /** Where it did nothing because it would have left nothing. */
  readonly steppedAside?: true;
}

/** @param count how many of the best tokens to name, in each list */
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
