/** Strategies: from the logits of a position and seeded randomness to the token that follows. */
import { SampleError } from "../errors.ts";
import type { Random } from "../random.ts";
import { type Candidates, candidatesOf, probabilitiesOf } from "./candidates.ts";
import { type Filter, keepTopK, keepTopP, temper } from "./filters.ts";

export interface SampleSettings {
  /** "sample" draws a token by its probability; "greedy" takes the most probable and heeds nothing below. */
  readonly strategy: "greedy" | "sample";
  /** Divides the logits: 1 leaves the model's own probabilities, and at 0 "sample" is "greedy". */
  readonly temperature: number;
  /** Only the k most probable tokens can be drawn; null for all. */
  readonly topK: number | null;
  /** Only the most probable tokens can be drawn, as few as reach this probability; null for all. */
  readonly topP: number | null;
}

/** @throws SampleError for a temperature, topK or topP out of range */
export function checkSampleSettings({ temperature, topK, topP }: SampleSettings): void {
  if (!Number.isFinite(temperature) || temperature < 0) {
    throw new SampleError(
      `temperature must be a finite number ≥ 0: got ${temperature}; 1 leaves the model's probabilities, 0 is greedy`,
    );
  }
  if (topK !== null && (!Number.isInteger(topK) || topK < 1)) {
    throw new SampleError(`topK must be a whole number ≥ 1: got ${topK}; leave it out to keep every token`);
  }
  if (topP !== null && !(topP > 0 && topP <= 1)) {
    throw new SampleError(
      `topP must be above 0 and at most 1: got ${topP}; leave it out to keep every token`,
    );
  }
}

/**
 * The token that follows.
 *
 * @param logits one for each token of the vocabulary; −∞ is never chosen, and +∞ before all else
 * @param random gives one uniform number for a drawn token, and none for a greedy one
 * @throws SampleError when settings are out of range, a logit is NaN, or all are −∞
 */
export function chooseToken(logits: ArrayLike<number>, settings: SampleSettings, random: Random): number {
  checkSampleSettings(settings);
  let candidates = candidatesOf(logits);
  if (settings.strategy === "greedy" || settings.temperature === 0) return best(candidates);
  for (const filter of filtersOf(settings)) candidates = filter(candidates);
  return draw(candidates, random.uniform());
}

/** What happens before the draw, in this order. */
export function filtersOf({ temperature, topK, topP }: SampleSettings): Filter[] {
  const filters = [temper(temperature)];
  if (topK !== null) filters.push(keepTopK(topK));
  if (topP !== null) filters.push(keepTopP(topP));
  return filters;
}

/** The candidate of the highest logit; the lowest id among equals. */
export function best({ ids, logits }: Candidates): number {
  let place = 0;
  for (let i = 1; i < ids.length; i++) if (logits[i] > logits[place]) place = i;
  return ids[place];
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
