/**
 * Covering arrays: few cases, among which every possible pair of values of two factors occurs. Most faults in
 * combinations of options need only two of them.
 *
 * Source: Cohen, Dalal, Fredman and Patton 1997, "The AETG System".
 */
import { Random } from "../../src/random.ts";

/** Values of some factors or all. */
export type Choice<Value> = ReadonlyMap<string, Value>;
/** The values to try of each factor. */
export type Factors<Value> = ReadonlyMap<string, readonly Value[]>;
/** Whether values go together. What it rejects stays rejected with the values of more factors. */
export type Rule<Value> = (choice: Choice<Value>) => boolean;

/** Cases drawn for each that is kept, the one with the most pairs that are missing. */
const CANDIDATES = 10;

/**
 * Cases with a value for every factor. Every two values that go together occur in one of them.
 *
 * @throws Error for two values that go together but not with any values of the other factors
 */
export function coverPairs<Value>(factors: Factors<Value>, rule: Rule<Value>): Choice<Value>[] {
  const random = Random.of(1, "covering array");
  const missing = pairsOf(factors, rule);
  const cases: Choice<Value>[] = [];
  for (const pair of missing.values()) {
    const candidates = Array.from({ length: CANDIDATES }, () =>
      complete(pair, shuffle([...factors], random), rule, missing),
    );
    const [best] = candidates.filter((candidate) => candidate !== null).sort((a, b) => b.covers - a.covers);
    if (best === undefined) throw new Error(`no case has ${[...pair].map(labelOf).join(" and ")}`);
    cases.push(best.choice);
    for (const key of keysOf(best.choice)) missing.delete(key);
  }
  return cases;
}

/** Every two values of different factors that go together, by their key. */
export function pairsOf<Value>(factors: Factors<Value>, rule: Rule<Value>): Map<string, Choice<Value>> {
  const entries = [...factors].map(([name, values]) => values.map((value) => [name, value] as const));
  const choices = entries.flatMap((some, i) =>
    entries.slice(i + 1).flatMap((others) => some.flatMap((a) => others.map((b) => new Map([a, b])))),
  );
  return new Map(choices.filter(rule).map((choice) => [keysOf(choice)[0], choice]));
}

/** The keys of all pairs of a choice's values. */
export function keysOf<Value>(choice: Choice<Value>): string[] {
  const labels = [...choice].map(labelOf).sort();
  return labels.flatMap((label, i) => labels.slice(i + 1).map((other) => `${label} ${other}`));
}

/** Adds a value for each other factor, the one that covers most; null if none goes together with those before. */
function complete<Value>(
  pair: Choice<Value>,
  factors: readonly (readonly [string, readonly Value[]])[],
  rule: Rule<Value>,
  missing: ReadonlyMap<string, unknown>,
): { choice: Choice<Value>; covers: number } | null {
  const choice = new Map(pair);
  let covers = 1;
  for (const [name, values] of factors) {
    if (choice.has(name)) continue;
    const others = [...choice].map(labelOf);
    const counted = values
      .filter((value) => rule(new Map([...choice, [name, value]])))
      .map((value) => ({ value, gain: gainOf(labelOf([name, value]), others, missing) }))
      .sort((a, b) => b.gain - a.gain);
    if (counted.length === 0) return null;
    choice.set(name, counted[0].value);
    covers += counted[0].gain;
  }
  return { choice, covers };
}

/** The number of missing pairs of one value with others. */
function gainOf(label: string, others: readonly string[], missing: ReadonlyMap<string, unknown>): number {
  return others.filter((other) => missing.has([label, other].sort().join(" "))).length;
}

function labelOf([name, value]: readonly [string, unknown]): string {
  return `${name}=${value}`;
}

function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}
