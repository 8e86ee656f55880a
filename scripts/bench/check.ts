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

/**
 * A description of the difference, or null if the two agree.
 *
 * Clipping divides the gradient by its norm, so an imprecise norm changes the update by its relative error, and later
 * losses. In double precision, with one norm changed by a thousandth, they change by at most 0.7 of that part of the
 * difference between the losses before and after the update. With 51 million parameters, PyTorch's norms are too small by
 * up to 2 parts in 10,000, and its fourth loss by 1e-4. With norms in double precision it has nopeek's losses, to 3e-6.
 * This does not excuse a wrong update: it changes the next loss before it changes a norm.
 */
export function disagreement(expected: FirstSteps, got: FirstSteps): string | null {
  let clippingError = 0;
  for (let step = 0; step < CHECKED_STEPS; step++) {
    const [loss, expectedLoss] = [got.losses[step], expected.losses[step]];
    if (!(Math.abs(loss - expectedLoss) <= LOSS_TOLERANCE + clippingError)) {
      return `step ${step + 1} has a loss of ${loss}, and nopeek's is ${expectedLoss}`;
    }
    const [norm, expectedNorm] = [got.norms[step], expected.norms[step]];
    const normError = Math.abs(norm - expectedNorm) / expectedNorm;
    if (!(normError <= NORM_TOLERANCE)) {
      return `step ${step + 1} has a gradient norm of ${norm}, and nopeek's is ${expectedNorm}`;
    }
    clippingError += normError * Math.abs(expected.losses[step + 1] - expectedLoss);
  }
  return null;
}

export function logitDisagreement(expected: readonly number[], got: readonly number[]): string | null {
  const token = expected.findIndex((logit, i) => !(Math.abs(got[i] - logit) <= LOGIT_TOLERANCE));
  if (token < 0 && got.length === expected.length) return null;
  return `the logit of token ${token} is ${got[token]}, and nopeek's is ${expected[token]}`;
}
