/** Candidates: the tokens that can still be chosen, with their logits. Logits are validated here. */
import { LogitsError } from "../errors.ts";
import { exp, log } from "../math.ts";

/** At least one token; `ids[i]` has the logit `logits[i]`. */
export interface Candidates {
  /** Ascending. */
  readonly ids: Int32Array;
  /** All below +∞, and at least one above −∞. */
  readonly logits: Float64Array;
}

/**
 * The tokens with a logit above −∞. If some logits are +∞, only those tokens are left, with equal probabilities: the
 * limit of softmax.
 *
 * @param logits one for each token of the vocabulary
 * @throws LogitsError if a logit is NaN, or all are −∞
 */
export function candidatesOf(logits: ArrayLike<number>): Candidates {
  const highest = highestOf(logits);
  if (Number.isNaN(highest)) {
    const id = Array.from(logits).findIndex(Number.isNaN);
    throw new LogitsError(
      `logits must be numbers: token ${id} has NaN; the model's weights are likely not finite, for example because training diverged`,
    );
  }
  if (highest === Number.NEGATIVE_INFINITY) {
    throw new LogitsError(
      `no token can be drawn: all ${logits.length} logits are −∞, and at least one must be higher`,
    );
  }
  const endless = highest === Number.POSITIVE_INFINITY;
  const lowest = endless ? highest : -Number.MAX_VALUE;
  let count = 0;
  for (let id = 0; id < logits.length; id++) if (logits[id] >= lowest) count++;
  const candidates = { ids: new Int32Array(count), logits: new Float64Array(count) };
  const { ids, logits: kept } = candidates;
  for (let id = 0, i = 0; id < logits.length; id++) {
    if (logits[id] < lowest) continue;
    ids[i] = id;
    kept[i] = endless ? 0 : logits[id];
    i++;
  }
  return candidates;
}

/** p = exp(logit − highest) / Σ exp(logits − highest), in double precision; the sum runs over ascending ids. */
export function probabilitiesOf({ logits }: Candidates): Float64Array {
  const highest = highestOf(logits);
  const probabilities = new Float64Array(logits.length);
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    probabilities[i] = exp(logits[i] - highest);
    total += probabilities[i];
  }
  for (let i = 0; i < logits.length; i++) probabilities[i] /= total;
  return probabilities;
}

/**
 * ln p of each candidate = (logit − highest) − ln Σ exp(logits − highest). Computed from logits instead of
 * probabilities, so it is finite even if p is too small for a double.
 */
export function logProbabilitiesOf({ logits }: Candidates): Float64Array {
  const highest = highestOf(logits);
  let total = 0;
  for (const logit of logits) total += exp(logit - highest);
  const logTotal = log(total);
  return logits.map((logit) => logit - highest - logTotal);
}

/** The maximum; NaN if any number is NaN, −∞ if there are none. */
export function highestOf(numbers: ArrayLike<number>): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i] > highest) highest = numbers[i];
    else if (Number.isNaN(numbers[i])) return Number.NaN;
  }
  return highest;
}

/** The index of the highest number, the first one if there are ties. */
export function argmax(numbers: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
  return best;
}
