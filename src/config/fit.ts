/**
 * Defaults that fit: the sizes and the recipe of a model for a text and a budget. They follow from the length and the
 * vocabulary of the text and from the work that the budget allows; a clock is read elsewhere.
 *
 * - The model is the largest of a list for which the time allows 12 training tokens per weight of its blocks. In equal
 *   time, smaller models that read more had lower losses than larger ones that read less; see docs/ablations.md.
 * - The recipe is the one that the ablations found best: the preset "modern", or "blanks" for an encoder.
 * - A short text is read a limited number of times, with dropout if the model could memorize it.
 */
import { PRESETS } from "./presets.ts";
import type { Settings } from "./settings.ts";

/** What the defaults need to know of a text. */
export interface TextSize {
  /** The length of the whole text. */
  readonly tokens: number;
  readonly vocabSize: number;
}

/** The work that a run may take, in floating-point operations; or its steps, if `steps` is given. */
export interface Budget {
  readonly operations: number;
}

/** The usual budget. */
export const USUAL_MINUTES = 5;

/** Layers and channels of the models to choose from. */
const SIZES: readonly Pick<Settings, "layers" | "dModel">[] = [
  { layers: 1, dModel: 32 },
  { layers: 2, dModel: 32 },
  { layers: 2, dModel: 48 },
  { layers: 2, dModel: 64 },
  { layers: 3, dModel: 64 },
  { layers: 3, dModel: 96 },
  { layers: 4, dModel: 96 },
  { layers: 4, dModel: 128 },
  { layers: 6, dModel: 128 },
  { layers: 6, dModel: 192 },
  { layers: 8, dModel: 256 },
  { layers: 8, dModel: 384 },
];
/** Training tokens per weight of the blocks: what is best in a given time; and the least, where time is no limit. */
const TOKENS_PER_WEIGHT = 12;
const FEWEST_PER_WEIGHT = 1.5;
/** How often a text is read at most; a tiny text oftener, in this number of steps. */
const MOST_EPOCHS = 10;
const FEWEST_STEPS = 200;
/** Context and batch: longer windows for wide models, and more tokens, because Muon's work grows with the channels. */
const CONTEXT = 128;
const WIDE_CONTEXT = 256;
const WIDE = 192;
const TOKENS_PER_CHANNEL = 16;
const USUAL_BATCH_TOKENS = 1024;
/** A batch is at most this share of a short text. */
const BATCHES_PER_EPOCH = 16;
const HEAD_SIZE = 32;
const FEWEST_HEADS = 4;
/** Beyond this vocabulary, pairs of tokens share rows of the bigram embedding, and most pairs are rare. */
const MOST_FOR_BIGRAMS = 362;
/** AdamW waits for memory: its work per weight counts this much. */
const ADAMW_OPERATIONS = 30;
const ADAMW_RATE = 1e-3;
const WARMUP_STEPS = 20;
/** A model with half as many weights as the text has tokens can memorize it when it reads it several times. */
const MANY_EPOCHS = 4;
const MANY_WEIGHTS = 0.5;
const DROPOUT = 0.1;
/** Measurements of the validation split in a run, and the share of the work that they may take. */
const MEASUREMENTS = 10;
const SHORTEST_INTERVAL = 20;
const MEASURED_SHARE = 0.1;
const FEWEST_MEASURED = 10_000;

/**
 * The settings that fit a text and a budget. Given settings are kept, and the rest follows around them.
 *
 * @param given explicit settings; with `steps`, the budget does not matter
 * @returns all settings that matter for the result of a run, `steps` included
 * @example
 * const text = { tokens: 1_115_394, vocabSize: 65 };
 * const settings = resolveSettings(fittingSettings(text, { operations: 5e12 }, { layers: 2 }));
 */
export function fittingSettings(
  text: TextSize,
  budget: Budget,
  given: Partial<Settings> = {},
): FittingSettings {
  const sizes = SIZES.map((size) => sizesAround(text, size, given));
  const [smallest] = sizes;
  const best = sizes.findLast((candidate) => suits(candidate, text, budget, given)) ?? smallest;
  return settingsAround(best, text, budget, given);
}

/** Settings with all sizes decided. */
export type FittingSettings = Partial<Settings> & Sizes & Pick<Settings, "steps" | "measureTokens">;
type Sizes = Pick<Settings, "layers" | "heads" | "dModel" | "contextLength" | "batchSize">;

/** Whether a model is not too large: for the time, if that is limited, and for the text or the steps. */
function suits(sizes: Sizes, text: TextSize, budget: Budget, given: Partial<Settings>): boolean {
  const perStep = tokensPerStep(sizes, given);
  const inTime = perStep * affordableSteps(sizes, text, budget, given);
  const inText = given.steps === undefined ? MOST_EPOCHS * trainingTokens(text) : given.steps * perStep;
  const weights = blockWeights(sizes);
  const isQuick = given.steps !== undefined || inTime >= TOKENS_PER_WEIGHT * weights;
  return isQuick && inText >= FEWEST_PER_WEIGHT * weights;
}

function settingsAround(
  sizes: Sizes,
  text: TextSize,
  budget: Budget,
  given: Partial<Settings>,
): FittingSettings {
  const perStep = tokensPerStep(sizes, given);
  const useful = Math.max(FEWEST_STEPS, (MOST_EPOCHS * trainingTokens(text)) / perStep);
  const affordable = affordableSteps(sizes, text, budget, given);
  const steps = given.steps ?? Math.max(1, Math.floor(Math.min(affordable, useful)));
  const tokens = steps * perStep;
  const memorizes =
    tokens >= MANY_EPOCHS * trainingTokens(text) &&
    blockWeights(sizes) >= MANY_WEIGHTS * trainingTokens(text);
  const interval = Math.max(SHORTEST_INTERVAL, Math.ceil(steps / MEASUREMENTS));
  return {
    ...recipeFor(text, sizes, given),
    warmupSteps: Math.min(WARMUP_STEPS, Math.floor(steps / 5)),
    dropout: memorizes ? DROPOUT : 0,
    evalInterval: interval,
    checkpointInterval: interval,
    measureTokens: measuredTokens(tokens),
    ...sizes,
    steps,
    ...given,
  };
}

/** The sizes of a model with about this many layers and channels. */
function sizesAround(
  text: TextSize,
  size: Pick<Settings, "layers" | "dModel">,
  given: Partial<Settings>,
): Sizes {
  const { layers, dModel: channels } = { ...size, ...given };
  const heads = given.heads ?? headsFor(channels, given.kvHeads || 1);
  // Rotary positions need an even number of channels in a head.
  const dModel = given.dModel ?? 2 * heads * Math.ceil(channels / (2 * heads));
  // Each split needs room for a window and the token after it.
  const longest = Math.max(1, Math.floor((text.tokens - 1) / 10));
  const contextLength = given.contextLength ?? Math.min(dModel < WIDE ? CONTEXT : WIDE_CONTEXT, longest);
  const perBatch = Math.min(
    Math.max(USUAL_BATCH_TOKENS, TOKENS_PER_CHANNEL * dModel),
    trainingTokens(text) / BATCHES_PER_EPOCH,
  );
  const batchSize = given.batchSize ?? Math.max(1, Math.round(perBatch / contextLength));
  return { layers, heads, dModel, contextLength, batchSize };
}

/** About HEAD_SIZE channels per head, a divisor of the channels, and a multiple of the heads of keys. */
function headsFor(channels: number, kvHeads: number): number {
  let heads = Math.max(FEWEST_HEADS, Math.round(channels / HEAD_SIZE), kvHeads);
  while (heads > kvHeads && (channels % heads !== 0 || heads % kvHeads !== 0)) heads -= 1;
  return heads;
}

function recipeFor(
  { vocabSize }: TextSize,
  { dModel, heads }: Sizes,
  given: Partial<Settings>,
): Partial<Settings> {
  const headSize = given.headSize || dModel / heads;
  const positions: Settings["positions"] = headSize % 2 === 0 ? "rotary" : "learned";
  // A rate for every weight, not only for those that Muon leaves.
  const rate = given.optimizer === "adamw" ? { learningRate: ADAMW_RATE } : {};
  const recipe =
    given.model === "encoder"
      ? PRESETS.blanks.settings
      : { ...PRESETS.modern.settings, positions, bigram: vocabSize <= MOST_FOR_BIGRAMS };
  return { ...recipe, minLearningRate: 0, ...rate };
}

type SizesOfStep = Omit<Sizes, "heads">;

/** Weights of the blocks; embeddings and head do not count. */
function blockWeights({ layers, dModel }: SizesOfStep): number {
  return 12 * layers * dModel * dModel;
}

function trainingTokens({ tokens }: TextSize): number {
  return (9 * tokens) / 10;
}

function tokensPerStep(
  { batchSize, contextLength }: SizesOfStep,
  { gradAccumulation = 1 }: Partial<Settings>,
): number {
  return batchSize * contextLength * gradAccumulation;
}

/** How many steps the budget allows beside the measurements. */
function affordableSteps(
  sizes: Sizes,
  { vocabSize }: TextSize,
  { operations }: Budget,
  { gradAccumulation = 1 }: Partial<Settings>,
): number {
  return ((1 - MEASURED_SHARE) * operations) / (gradAccumulation * operationsPerStep(sizes, vocabSize));
}

/** Measurements read the validation split forward only, a third of the work of training. */
function measuredTokens(trained: number): number {
  return Math.max(FEWEST_MEASURED, Math.floor((3 * MEASURED_SHARE * trained) / MEASUREMENTS));
}

/**
 * The floating-point operations of a training step, roughly: products forward and backward, attention over half of the
 * context on average, Muon's five iterations on the matrices of the blocks, and AdamW on the embeddings.
 */
export function operationsPerStep(sizes: SizesOfStep, vocabSize: number): number {
  const { layers, dModel, contextLength, batchSize } = sizes;
  const perToken = 6 * (blockWeights(sizes) + dModel * vocabSize) + 6 * layers * contextLength * dModel;
  const muon = 300 * layers * dModel * dModel * dModel;
  const bigrams = vocabSize <= MOST_FOR_BIGRAMS ? vocabSize * vocabSize : 0;
  const adamw = ADAMW_OPERATIONS * dModel * (2 * vocabSize + bigrams);
  return batchSize * contextLength * perToken + muon + adamw;
}
