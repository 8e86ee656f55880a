/**
 * Checks that two competitors do the same work: the same weights and batches must give the same losses and gradient
 * norms at every step. The second loss depends on every gradient and on the optimizer; later ones also depend on its
 * moments, weight decay and clipping.
 */

export interface FirstSteps {
  readonly losses: readonly number[];
  readonly norms: readonly number[];
}

/** Steps compared before anything is timed. */
export const CHECKED_STEPS = 4;

/** In nats: ten times the rounding error of equivalent models. */
const LOSS_TOLERANCE = 5e-5;
/** Relative. A plain sum of ten million squares in single precision is off by a quarter of this. */
const NORM_TOLERANCE = 1e-3;
const LOGIT_TOLERANCE = 1e-4;

/** A description of the difference, or null if the two agree. */
export function disagreement(expected: FirstSteps, got: FirstSteps): string | null {
  for (let step = 0; step < CHECKED_STEPS; step++) {
    const [loss, expectedLoss] = [got.losses[step], expected.losses[step]];
    if (!(Math.abs(loss - expectedLoss) <= LOSS_TOLERANCE)) {
      return `step ${step + 1} has a loss of ${loss}, and nopeek's is ${expectedLoss}`;
    }
    const [norm, expectedNorm] = [got.norms[step], expected.norms[step]];
    if (!(Math.abs(norm - expectedNorm) <= NORM_TOLERANCE * expectedNorm)) {
      return `step ${step + 1} has a gradient norm of ${norm}, and nopeek's is ${expectedNorm}`;
    }
  }
  return null;
}

export function logitDisagreement(expected: readonly number[], got: readonly number[]): string | null {
  const token = expected.findIndex((logit, i) => !(Math.abs(got[i] - logit) <= LOGIT_TOLERANCE));
  if (token < 0 && got.length === expected.length) return null;
  return `the logit of token ${token} is ${got[token]}, and nopeek's is ${expected[token]}`;
}
