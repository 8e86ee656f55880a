/**
 * Every setting of a run, in one table: name, validation and default. The TypeScript type, the JSON in a run directory,
 * the flags and `--help` are all derived from it, so they cannot disagree. setting-help.ts says what each setting means.
 */
import * as z from "zod/mini";
import { UNKNOWN_POLICIES } from "../text/unknown.ts";
import {
  DOCUMENTS,
  MODEL_KINDS,
  type ModelKind,
  SPLITS,
  TASKS,
  TOKENIZERS,
  type TokenizerKind,
  WINDOW_ORDERS,
} from "./choices.ts";

/** Which models have a setting. */
export interface Belonging {
  /** The kinds of model that have this setting. Default: all. */
  readonly kinds?: readonly ModelKind[];
  /** The tokenizers that have this setting. Default: all. */
  readonly tokenizers?: readonly TokenizerKind[];
}

export const belonging = z.registry<Belonging>();
const OF_TEXT: Belonging = { kinds: ["gpt", "encoder"] };

const MANY = 1_000_000_000;
/** Takes a minute or two with a typical model, and covers the whole validation split of a 40 MB text. */
export const MEASURE_TOKENS = 4_000_000;
const count = (lowest: number, highest: number) => z.int().check(z.minimum(lowest), z.maximum(highest));
/**
 * Smaller numbers would be 0 or their reciprocals ∞ in single precision: a logit cap of 1e-40 multiplies 0 by ∞, and so
 * does a ratio of learning rates.
 */
const LEAST = 1e-12;
/** Smaller ones no longer bound AdamW's step, m/(√v + ε), where v underflows to 0; below 1e-38, it becomes 0/0. */
const LEAST_EPSILON = 1e-20;
/** 0 to `highest`, but nothing between 0 and `LEAST`. */
const real = (highest: number) =>
  z.number().check(
    z.minimum(0),
    z.maximum(highest),
    z.refine((value) => value === 0 || value >= LEAST, { error: `must be 0 or at least ${LEAST}` }),
  );
const share = () => z.number().check(z.minimum(0), z.lt(1));

const vocabSize = () =>
  z.int().check(
    z.refine((value) => value > 256, { error: "must be at least 257, because 256 tokens are the bytes" }),
    z.maximum(65_536),
  );

/** A row of the table: what is valid, and the default. */
function setting<Valid extends z.ZodMiniType>(
  valid: Valid,
  fallback: z.util.NoUndefined<z.output<Valid>>,
  belongs: Belonging = {},
): z.ZodMiniDefault<Valid> {
  const row = z._default(valid, fallback);
  belonging.add(row, belongs);
  return row;
}

/** The largest `contextLength`. */
export const LONGEST_CONTEXT = 65_536;

/** The settings of the model. */
export const MODEL_TABLE = {
  model: setting(z.enum(MODEL_KINDS), "gpt"),
  task: setting(z.enum(TASKS), "reverse", { kinds: ["seq2seq"] }),
  layers: setting(count(1, 1000), 4),
  heads: setting(count(1, 1000), 4),
  kvHeads: setting(count(0, 1000), 0),
  headSize: setting(count(0, 65_536), 0),
  dModel: setting(count(1, 65_536), 128),
  contextLength: setting(count(1, LONGEST_CONTEXT), 64, OF_TEXT),
  dropout: setting(share(), 0),
  bias: setting(z.boolean(), true),
  activation: setting(z.enum(["gelu", "gelu-tanh", "relu2", "swiglu"]), "gelu"),
  mlpWidth: setting(count(0, MANY), 0),
  positions: setting(z.enum(["learned", "rotary", "none"]), "learned"),
  ropeBase: setting(z.number().check(z.minimum(1), z.maximum(1e12)), 10_000),
  norm: setting(z.enum(["layer", "rms"]), "layer"),
  normEpsilon: setting(z.number().check(z.minimum(LEAST), z.maximum(1)), 1e-5),
  normWeights: setting(z.boolean(), true),
  qkNorm: setting(z.boolean(), false),
  qkNormWeights: setting(z.boolean(), false),
  zeroInit: setting(z.boolean(), false),
  tieHead: setting(z.boolean(), true),
  bigram: setting(z.boolean(), false, { kinds: ["gpt"] }),
  logitCap: setting(real(1e6), 0, { kinds: ["gpt"] }),
  attention: setting(z.enum(["fused", "textbook"]), "fused"),
  tokenizer: setting(z.enum(TOKENIZERS), "char", OF_TEXT),
  vocabSize: setting(vocabSize(), 512, { ...OF_TEXT, tokenizers: ["bpe"] }),
  alphabetSize: setting(count(2, 26), 10, { kinds: ["seq2seq"] }),
  minLength: setting(count(1, 1000), 3, { kinds: ["seq2seq"] }),
  maxLength: setting(count(1, 1000), 10, { kinds: ["seq2seq"] }),
};

/** The settings of its training. */
export const TRAINING_TABLE = {
  batchSize: setting(count(1, 65_536), 12),
  documents: setting(z.enum(DOCUMENTS), "none", OF_TEXT),
  minCount: setting(count(1, MANY), 1, OF_TEXT),
  split: setting(z.enum(SPLITS), "tail", OF_TEXT),
  windows: setting(z.enum(WINDOW_ORDERS), "random", OF_TEXT),
  steps: setting(count(0, MANY), 2000),
  optimizer: setting(z.enum(["adamw", "muon"]), "adamw"),
  muonLearningRate: setting(real(10), 0.02),
  muonMomentum: setting(share(), 0.95),
  muonWeightDecay: setting(real(10), 0),
  learningRate: setting(real(10), 1e-3),
  minLearningRate: setting(real(10), 1e-4),
  schedule: setting(z.enum(["cosine", "linear", "constant", "trapezoid"]), "cosine"),
  cooldown: setting(z.number().check(z.gt(0), z.maximum(1)), 0.4),
  warmupSteps: setting(count(0, MANY), 100),
  weightDecay: setting(real(10), 0.1),
  beta1: setting(share(), 0.9),
  beta2: setting(share(), 0.99),
  epsilon: setting(z.number().check(z.minimum(LEAST_EPSILON), z.maximum(1)), 1e-8),
  gradClip: setting(real(1e6), 1),
  skipSpikes: setting(real(1e6), 0),
  gradAccumulation: setting(count(1, 65_536), 1),
  checkpointActivations: setting(z.boolean(), false),
  shardOptimizer: setting(z.boolean(), false),
  averageSteps: setting(count(0, MANY), 0),
  evalInterval: setting(count(1, MANY), 250),
  patience: setting(count(0, MANY), 0),
  evalBatches: setting(count(1, 65_536), 10),
  measureTokens: setting(count(1, Number.MAX_SAFE_INTEGER), MEASURE_TOKENS, OF_TEXT),
  checkpointInterval: setting(count(1, MANY), 500),
  keepCheckpoints: setting(count(1, MANY), 3),
  unknown: setting(z.enum(UNKNOWN_POLICIES), "reject", OF_TEXT),
  seed: setting(count(0, Number.MAX_SAFE_INTEGER), 1337),
};
