/** The verdict on a finished run: what its losses mean, and which settings would help. A function of the facts alone. */
import type { Settings } from "../../../config/settings.ts";
import { formatCount, formatLoss } from "../../../util/format.ts";

/**
 * diverged      the loss is not finite, or it rose to that of guessing
 * overfitting   the validation loss rose while the training loss fell
 * guessing      no better than a uniform guess
 * frequencies   no better than the frequencies of the tokens
 * improving     the loss was still falling at the end
 * unlike        the validation split is harder than the training split, for simple models too
 * weak          worse than n-grams, or wrong answers, and no longer improving
 * good          none of these
 */
export const VERDICTS = [
  "diverged",
  "overfitting",
  "guessing",
  "frequencies",
  "improving",
  "unlike",
  "weak",
  "good",
] as const;
export type VerdictKind = (typeof VERDICTS)[number];

/** Losses on one set of validation tokens after `step` updates, in nats per token. */
export interface MeasuredPoint {
  readonly step: number;
  readonly validationNats: number;
  /** The mean training loss of the steps before it; null if unknown. */
  readonly trainingNats: number | null;
}

/** What is known at the end of a run. */
export interface RunFacts {
  /** Measurements on the same tokens, oldest first; at least one. */
  readonly points: readonly MeasuredPoint[];
  /** The loss of a uniform guess. */
  readonly guessNats: number;
  /** The validation loss of the tokens' frequencies; null without a text. */
  readonly frequencyNats: number | null;
  /** The loss of n-grams on the validation split, and on unseen parts of the training split; null if it says nothing. */
  readonly ngrams: { readonly validationNats: number; readonly unseenTrainingNats: number } | null;
  /** Exactly right answers to validation strings; null for a model of text. */
  readonly answers: { readonly exact: number; readonly strings: number } | null;
}

export interface Verdict {
  readonly kind: VerdictKind;
  /** One or two sentences. */
  readonly sentences: readonly string[];
  /** Settings of a new run that would help; empty if none would. */
  readonly changes: Partial<Settings>;
}

/** Differences below these shares of a loss are noise; the smaller share is for measurements on the same tokens. */
const NOISE = 0.01;
const SMALL_NOISE = 0.005;
/** A loss this far above that of guessing was driven there: random weights start at it. */
const FAR_ABOVE = 1.25;
/** The last part of a run whose progress counts. */
const LATE = 0.2;
/** A validation split this much harder than unseen training text is unlike it. Ordinary texts stay below. */
const UNLIKE = 1.2;

/**
 * The verdict on a run: exactly one for any facts.
 *
 * @param facts    of a finished run
 * @param settings of that run
 * @example
 * const { kind, sentences } = verdictOf(facts, settings);
 */
export function verdictOf(facts: RunFacts, settings: Settings): Verdict {
  const kind = kindOf(facts);
  const second = secondSentence(kind, facts);
  const sentences = [SENTENCES[kind](facts), ...(second === null ? [] : [second])];
  return { kind, sentences, changes: CHANGES[kind](settings) };
}

function kindOf(facts: RunFacts): VerdictKind {
  const { guessNats, frequencyNats, ngrams, answers } = facts;
  const best = bestOf(facts).validationNats;
  if (hasDiverged(facts)) return "diverged";
  // A vocabulary of one token leaves nothing to learn.
  if (guessNats === 0) return "good";
  if (isOverfitting(facts)) return "overfitting";
  if (best >= guessNats * (1 - NOISE)) return "guessing";
  if (frequencyNats !== null && best >= frequencyNats * (1 - NOISE)) return "frequencies";
  if (answers !== null && answers.exact === answers.strings) return "good";
  if (lateFall(facts) >= NOISE) return "improving";
  if (isUnlike(facts)) return "unlike";
  if (answers !== null || (ngrams !== null && best >= ngrams.validationNats)) return "weak";
  return "good";
}

/** Not finite, at the loss of guessing after it was lower, or far above it, in training and validation. */
function hasDiverged({ points, guessNats }: RunFacts): boolean {
  const { validationNats, trainingNats } = latestOf(points);
  if (![validationNats, trainingNats ?? 0].every(Number.isFinite)) return true;
  if (guessNats === 0) return false;
  const loss = Math.min(validationNats, trainingNats ?? validationNats);
  const earlier = points
    .slice(0, -1)
    .map((point) => Math.min(point.validationNats, point.trainingNats ?? Infinity));
  const wasLower = earlier.some((nats) => nats < guessNats * (1 - NOISE));
  return loss >= guessNats * (wasLower ? 1 : FAR_ABOVE);
}

function isOverfitting(facts: RunFacts): boolean {
  const [best, latest] = [bestOf(facts), latestOf(facts.points)];
  if (best.trainingNats === null || latest.trainingNats === null) return false;
  const rose = latest.validationNats > best.validationNats * (1 + SMALL_NOISE);
  return rose && latest.trainingNats < best.trainingNats;
}

function isUnlike({ ngrams }: RunFacts): boolean {
  return ngrams !== null && ngrams.validationNats > UNLIKE * ngrams.unseenTrainingNats;
}

/** How much the validation loss fell in the last fifth of the steps, as a share; 0 if it is not known. */
function lateFall({ points }: RunFacts): number {
  const latest = latestOf(points);
  const before = points.findLast(({ step }) => step <= latest.step * (1 - LATE));
  return before === undefined ? 0 : 1 - latest.validationNats / before.validationNats;
}

function bestOf({ points }: RunFacts): MeasuredPoint {
  return points.reduce((best, point) => (point.validationNats < best.validationNats ? point : best));
}

function latestOf(points: readonly MeasuredPoint[]): MeasuredPoint {
  return points[points.length - 1];
}

const SENTENCES: Readonly<Record<VerdictKind, (facts: RunFacts) => string>> = {
  diverged: ({ points, guessNats }) =>
    `The training diverged: the validation loss is ${formatLoss(latestOf(points).validationNats)}, and guessing gives ${formatLoss(guessNats)}.`,
  overfitting: (facts) => {
    const [best, latest] = [bestOf(facts), latestOf(facts.points)];
    return `The model is overfitting: since step ${formatCount(best.step)} the validation loss rose from ${formatLoss(best.validationNats)} to ${formatLoss(latest.validationNats)}, while the training loss fell.`;
  },
  guessing: (facts) =>
    `The model has learned next to nothing: its loss is ${formatLoss(bestOf(facts).validationNats)}, and guessing gives ${formatLoss(facts.guessNats)}.`,
  frequencies: (facts) =>
    `The model knows how frequent each token is, and little else: its loss is ${formatLoss(bestOf(facts).validationNats)}, and the frequencies alone give ${formatLoss(facts.frequencyNats ?? 0)}.`,
  improving: (facts) =>
    `The loss was still falling at the end, by ${percent(lateFall(facts))} in the last fifth of the steps: more steps would help.`,
  unlike: ({ ngrams }) =>
    `The validation split is unlike the training split: n-grams reach ${formatLoss(ngrams?.validationNats ?? 0)} there, and ${formatLoss(ngrams?.unseenTrainingNats ?? 0)} on unseen parts of the training split.`,
  weak: ({ answers }) =>
    answers === null
      ? "The loss no longer falls, but counting does better: the model is too small, or the learning rate does not suit it."
      : `${formatCount(answers.strings - answers.exact)} of ${formatCount(answers.strings)} answers are wrong, and the loss no longer falls.`,
  good: ({ answers }) =>
    answers === null
      ? "A good run: the loss has settled, and the model is not overfitting."
      : `All ${formatCount(answers.strings)} answers to validation strings are right.`,
};

/** Compares with n-grams, unless the first sentence is enough. */
function secondSentence(kind: VerdictKind, facts: RunFacts): string | null {
  const { ngrams } = facts;
  if (ngrams === null || kind === "diverged" || kind === "guessing" || kind === "frequencies") return null;
  if (kind !== "unlike" && isUnlike(facts)) return SENTENCES.unlike(facts);
  const best = bestOf(facts).validationNats;
  const ratio = best / ngrams.validationNats;
  const distance = ratio < 1 ? `${percent(1 - ratio)} below` : `${percent(ratio - 1)} above`;
  return `Its best loss, ${formatLoss(best)} nats per token, is ${distance} that of n-grams counted on the same text (${formatLoss(ngrams.validationNats)}).`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

/** How much more dropout helps, and the most that is worth trying. */
const MORE_DROPOUT = 0.1;
const MOST_DROPOUT = 0.5;
/** A run of fewer steps that learned nothing was too short; a longer one had the wrong learning rate. */
const SHORT_RUN = 500;
const LOW_RATE = 1e-4;
const USUAL_RATE = 1e-3;

const CHANGES: Readonly<Record<VerdictKind, (settings: Settings) => Partial<Settings>>> = {
  diverged: (settings) => ({
    learningRate: thirdOf(settings.learningRate),
    ...(settings.minLearningRate > 0 && { minLearningRate: thirdOf(settings.minLearningRate) }),
    ...(settings.optimizer === "muon" && { muonLearningRate: thirdOf(settings.muonLearningRate) }),
  }),
  overfitting: ({ dropout, layers, dModel, heads }) => {
    if (dropout < MOST_DROPOUT) return { dropout: Math.min(MOST_DROPOUT, rounded(dropout + MORE_DROPOUT)) };
    if (layers > 1) return { layers: Math.ceil(layers / 2) };
    return dModel > heads ? { dModel: heads * Math.ceil(dModel / heads / 2) } : {};
  },
  guessing: ({ steps, learningRate }) => {
    if (steps < SHORT_RUN) return { steps: 2 * SHORT_RUN };
    return { learningRate: learningRate < LOW_RATE ? USUAL_RATE : thirdOf(learningRate) };
  },
  frequencies: ({ steps }) => ({ steps: Math.max(2 * steps, 2 * SHORT_RUN) }),
  improving: ({ steps }) => ({ steps: Math.max(2 * steps, 100) }),
  unlike: () => ({}),
  weak: ({ model, steps, dModel }) => (model === "seq2seq" ? { steps: 2 * steps } : { dModel: 2 * dModel }),
  good: () => ({}),
};

const thirdOf = (rate: number) => Number((rate / 3).toPrecision(2));
const rounded = (share: number) => Math.round(100 * share) / 100;
