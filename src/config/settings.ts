/**
 * Every setting of a run, in one table: name, validation, default, unit and help. The TypeScript type, what editors
 * show, the JSON in a run directory, the flags and `--help` are all derived from it, so they cannot disagree.
 */

import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { UNKNOWN_POLICIES } from "../text/unknown.ts";
import { checkTypes } from "../util/check-types.ts";
import { describeIssue } from "./describe-issue.ts";
// A type error where the table meets this type means that it must be generated again: scripts/settings-type.ts.
import type { Settings } from "./settings-type.ts";

/** random: drawn from anywhere, with replacement; epochs: every token at most once per epoch. */
export const WINDOW_ORDERS = ["random", "epochs"] as const;
export type WindowOrderName = (typeof WINDOW_ORDERS)[number];

/** What a document is, if the text consists of several: a line, a paragraph or a file. */
export const DOCUMENTS = ["none", "lines", "paragraphs", "files"] as const;
export type DocumentsKind = (typeof DOCUMENTS)[number];

/** How the documents to validate with are chosen. */
export const SPLITS = ["tail", "shuffle"] as const;
export type SplitName = (typeof SPLITS)[number];

/** The kinds of model: a decoder, an encoder, or an encoder and a decoder with cross-attention. */
export const MODEL_KINDS = ["gpt", "encoder", "seq2seq"] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

/** The tasks for seq2seq models. */
export const TASKS = ["reverse", "sort"] as const;
export type Task = (typeof TASKS)[number];

/** The documentation of a setting, apart from its validation and default. */
export interface Description {
  readonly group: "model" | "training";
  readonly help: string;
  /** The kinds of model that have this setting. Default: all. */
  readonly kinds?: readonly ModelKind[];
  /** The unit of a number; omitted for a plain number. */
  readonly unit?: string;
}

const descriptions = z.registry<Description>();

const model = (help: string, unit?: string): Description => describe("model", help, unit);
const training = (help: string, unit?: string): Description => describe("training", help, unit);

function describe(group: Description["group"], help: string, unit: string | undefined): Description {
  return unit === undefined ? { group, help } : { group, help, unit };
}

/** Limits a setting to some kinds of model. */
const only = (kinds: readonly ModelKind[], description: Description): Description => ({
  ...description,
  kinds,
});
const TEXT_KINDS = ["gpt", "encoder"] as const;

const MANY = 1_000_000_000;
/** Takes a minute or two with a typical model, and covers the whole validation split of a 40 MB text. */
export const MEASURE_TOKENS = 4_000_000;
const count = (lowest: number, highest: number) => z.int().min(lowest).max(highest);
/**
 * Smaller numbers would be 0 or their reciprocals ∞ in single precision: a logit cap of 1e-40 multiplies 0 by ∞, and so
 * does a ratio of learning rates.
 */
const LEAST = 1e-12;
/** Smaller ones no longer bound AdamW's step, m/(√v + ε), where v underflows to 0; below 1e-38, it becomes 0/0. */
const LEAST_EPSILON = 1e-20;
/** 0 to `highest`, but nothing between 0 and `LEAST`. */
const real = (highest: number) =>
  z
    .number()
    .min(0)
    .max(highest)
    .refine((value) => value === 0 || value >= LEAST, { error: `must be 0 or at least ${LEAST}` });
const share = () => z.number().min(0).lt(1);
const is = descriptions;

const table = z.strictObject({
  model: z
    .enum(MODEL_KINDS)
    .default("gpt")
    .register(is, model("gpt continues text, encoder fills in blanks, seq2seq maps one string to another")),
  task: z
    .enum(TASKS)
    .default("reverse")
    .register(is, only(["seq2seq"], model("task a seq2seq model is trained on"))),
  layers: count(1, 1000)
    .default(4)
    .register(is, model("Transformer blocks; for seq2seq, in the encoder and in the decoder")),
  heads: count(1, 1000)
    .default(4)
    .register(is, model("attention heads per layer; must divide the model width")),
  dModel: count(1, 65_536)
    .default(128)
    .register(is, model("model width: size of the residual stream", "channels")),
  contextLength: count(1, 65_536)
    .default(64)
    .register(is, only(TEXT_KINDS, model("longest sequence the model sees", "tokens"))),
  dropout: share().default(0).register(is, model("dropout probability during training")),
  bias: z.boolean().default(true).register(is, model("biases in linear layers and norms")),
  activation: z
    .enum(["gelu", "gelu-tanh", "relu2", "swiglu"])
    .default("gelu")
    .register(
      is,
      model(
        "MLP activation: exact GELU, its tanh approximation, squared ReLU, or SwiGLU, which adds a third matrix",
      ),
    ),
  positions: z
    .enum(["learned", "rotary", "none"])
    .default("learned")
    .register(
      is,
      model(
        "learned position embeddings, rotary (RoPE), or none; rotary is limited to the context length too, because longer distances are not trained",
      ),
    ),
  norm: z
    .enum(["layer", "rms"])
    .default("layer")
    .register(is, model("LayerNorm, or RMSNorm, which does not subtract the mean")),
  normWeights: z.boolean().default(true).register(is, model("learned scale for each channel in norms")),
  qkNorm: z.boolean().default(false).register(is, model("normalize the queries and keys of each head")),
  zeroInit: z
    .boolean()
    .default(false)
    .register(is, model("initialize the blocks' output weights to 0, so each block starts as the identity")),
  tieHead: z
    .boolean()
    .default(true)
    .register(is, model("share the token embedding's weights with the output head")),
  bigram: z
    .boolean()
    .default(false)
    .register(
      is,
      only(["gpt"], model("add an embedding of each pair of adjacent tokens; hashed beyond 131,072 pairs")),
    ),
  logitCap: real(1e6)
    .default(0)
    .register(is, only(["gpt"], model("soft limit on the magnitude of logits; 0 means no limit"))),
  attention: z
    .enum(["fused", "textbook"])
    .default("fused")
    .register(
      is,
      model(
        "one fast kernel, or the textbook formula from plain ops: the same numbers but for the last bits",
      ),
    ),
  tokenizer: z
    .enum(["char", "byte"])
    .default("char")
    .register(is, only(TEXT_KINDS, model("tokens are the characters of the corpus, or UTF-8 bytes"))),
  alphabetSize: count(2, 26)
    .default(10)
    .register(is, only(["seq2seq"], model("number of letters in the alphabet, starting at a", "letters"))),
  minLength: count(1, 1000)
    .default(3)
    .register(is, only(["seq2seq"], model("shortest training string", "letters"))),
  maxLength: count(1, 1000)
    .default(10)
    .register(is, only(["seq2seq"], model("longest string the model sees", "letters"))),

  batchSize: count(1, 65_536)
    .default(12)
    .register(is, training("windows (for seq2seq, strings) per batch", "windows")),
  documents: z
    .enum(DOCUMENTS)
    .default("none")
    .register(
      is,
      only(
        TEXT_KINDS,
        training(
          "what the text consists of, such as names, tunes or messages: each line, paragraph (up to an empty line) or file is a document, and an end token follows it, which the model learns; none: one text. Windows may span several documents",
        ),
      ),
    ),
  minCount: count(1, MANY)
    .default(1)
    .register(
      is,
      only(
        TEXT_KINDS,
        training(
          "leave characters that occur less often out of the vocabulary and of the text; above 1, `unknown` is drop",
          "occurrences",
        ),
      ),
    ),
  split: z
    .enum(SPLITS)
    .default("tail")
    .register(
      is,
      only(
        TEXT_KINDS,
        training(
          "what to validate with. tail: the last tenth of the text; shuffle: a tenth of the documents from anywhere in it, the same ones for every seed",
        ),
      ),
    ),
  windows: z
    .enum(WINDOW_ORDERS)
    .default("random")
    .register(
      is,
      only(
        TEXT_KINDS,
        training(
          "random: drawn from anywhere in the training split; epochs: every token at most once per epoch",
        ),
      ),
    ),
  steps: count(0, MANY).default(2000).register(is, training("training steps in total", "steps")),
  optimizer: z
    .enum(["adamw", "muon"])
    .default("adamw")
    .register(is, training("muon updates the matrices inside blocks, and leaves the rest to AdamW")),
  muonLearningRate: real(10).default(0.02).register(is, training("Muon's peak learning rate, after warm-up")),
  muonMomentum: share().default(0.95).register(is, training("Muon's momentum")),
  muonWeightDecay: real(10)
    .default(0)
    .register(is, training("Muon's decoupled weight decay, on the matrices inside blocks")),
  learningRate: real(10).default(1e-3).register(is, training("peak learning rate, after warm-up")),
  minLearningRate: real(10).default(1e-4).register(is, training("learning rate at the end of the schedule")),
  schedule: z
    .enum(["cosine", "linear", "constant", "trapezoid"])
    .default("cosine")
    .register(is, training("learning rate after warm-up; trapezoid holds it, then decays linearly")),
  cooldown: z
    .number()
    .gt(0)
    .max(1)
    .default(0.4)
    .register(is, training("fraction of the steps after warm-up in which trapezoid decays")),
  warmupSteps: count(0, MANY)
    .default(100)
    .register(is, training("length of the linear warm-up of the learning rate", "steps")),
  weightDecay: real(10)
    .default(0.1)
    .register(
      is,
      training(
        "AdamW's decoupled weight decay, on matrices and embeddings; with muon, only on those outside blocks",
      ),
    ),
  beta1: share().default(0.9).register(is, training("AdamW's β₁: decay rate of the first moment")),
  beta2: share().default(0.99).register(is, training("AdamW's β₂: decay rate of the second moment")),
  epsilon: z
    .number()
    .min(LEAST_EPSILON)
    .max(1)
    .default(1e-8)
    .register(is, training("AdamW's ε, which avoids division by 0")),
  gradClip: real(1e6).default(1).register(is, training("maximum gradient norm; 0 turns clipping off")),
  skipSpikes: real(1e6)
    .default(0)
    .register(
      is,
      training("skip updates whose gradient norm exceeds this multiple of the recent median; 0 skips none"),
    ),
  gradAccumulation: count(1, 65_536).default(1).register(is, training("batches per update", "batches")),
  averageSteps: count(0, MANY)
    .default(0)
    .register(
      is,
      training(
        "evaluate and save the weights averaged over about this many steps; 0 uses the newest",
        "steps",
      ),
    ),
  evalInterval: count(1, MANY).default(250).register(is, training("interval between evaluations", "steps")),
  patience: count(0, MANY)
    .default(0)
    .register(
      is,
      training(
        "stop after this many evaluations of the whole split without a lower validation loss; 0 never stops early",
        "evaluations",
      ),
    ),
  evalBatches: count(1, 65_536)
    .default(10)
    .register(is, training("random batches in a quick loss estimate", "batches")),
  measureTokens: count(1, Number.MAX_SAFE_INTEGER)
    .default(MEASURE_TOKENS)
    .register(
      is,
      only(
        TEXT_KINDS,
        training(
          "maximum number of validation tokens in a full evaluation; a longer split is sampled with a fixed set of windows",
          "tokens",
        ),
      ),
    ),
  checkpointInterval: count(1, MANY)
    .default(500)
    .register(is, training("interval between checkpoints", "steps")),
  keepCheckpoints: count(1, MANY)
    .default(3)
    .register(
      is,
      training("newest checkpoints to keep; the latest and the best are always kept", "checkpoints"),
    ),
  unknown: z
    .enum(UNKNOWN_POLICIES)
    .default("reject")
    .register(
      is,
      only(
        TEXT_KINDS,
        training(
          "when fine-tuning, how to handle characters the tokenizer does not know; byte needs a byte tokenizer",
        ),
      ),
    ),
  seed: count(0, Number.MAX_SAFE_INTEGER).default(1337).register(is, training("random seed")),
});

export type { Settings };
export type SettingName = keyof Settings;

/** One row of the table, in the form that flags and help use. */
export interface Setting extends Description {
  readonly name: SettingName;
  readonly default: number | string | boolean;
  readonly kind: "number" | "switch" | "choice";
  /** The values of a choice. */
  readonly choices: readonly string[];
}

export const SETTINGS: readonly Setting[] = table.keyof().options.map((name) => {
  const check = table.shape[name];
  const description = descriptions.get(check);
  if (description === undefined) throw new ConfigError(`settings: ${name} has no description`);
  const inner = check.unwrap();
  const choices = inner instanceof z.ZodEnum ? inner.options : [];
  const kind = inner instanceof z.ZodEnum ? "choice" : inner instanceof z.ZodBoolean ? "switch" : "number";
  return { ...description, name, default: check.parse(undefined), kind, choices };
});

/**
 * Complete, validated settings: the defaults, overridden by each layer in turn.
 *
 * @throws ConfigError for an unknown name (suggesting the nearest known one), a value out of range, or settings that
 *   contradict each other
 * @example
 * const settings = resolveSettings({ layers: 2, heads: 4, dModel: 64, steps: 1000 });
 */
export function resolveSettings(...layers: readonly Partial<Settings>[]): Settings {
  return parseSettings(...layers);
}

/**
 * Does the same as `resolveSettings` with input that may hold anything, such as JSON or flags.
 *
 * @throws ConfigError as `resolveSettings` does
 */
export function parseSettings(...layers: readonly Readonly<Record<string, unknown>>[]): Settings {
  for (const settings of layers) checkTypes("resolveSettings", { settings }, { settings: "object" });
  const settings = parseValues(Object.assign({}, ...layers));
  checkTogether(settings);
  return settings;
}

/**
 * Checks the value of each given setting, but not whether they fit together. The rest is left out.
 *
 * @throws ConfigError for an unknown name, or a value out of range
 */
export function parseGiven(given: Readonly<Record<string, unknown>>): Partial<Settings> {
  const values: { -readonly [Name in SettingName]?: Settings[Name] } = parseValues(given);
  for (const { name } of SETTINGS) if (given[name] === undefined) delete values[name];
  return values;
}

function parseValues(input: Readonly<Record<string, unknown>>): Settings {
  const result = table.safeParse(input);
  if (!result.success) {
    const names = SETTINGS.map(({ name }) => name);
    throw new ConfigError(result.error.issues.map((issue) => describeIssue(issue, input, names)).join("\n"));
  }
  return result.data;
}

/** Whether a kind of model has this setting. */
export function belongsTo(kind: ModelKind, { kinds }: Setting): boolean {
  return kinds === undefined || kinds.includes(kind);
}

/**
 * Checks that each given setting applies to this kind of model.
 *
 * @throws ConfigError for those that do not, with the kinds that have them
 */
export function checkBelonging(kind: ModelKind, given: Readonly<Record<string, unknown>>): void {
  const strangers = SETTINGS.filter((setting) => setting.name in given && !belongsTo(kind, setting));
  if (strangers.length === 0) return;
  const complaints = strangers.map(({ name, kinds }) => `\`${name}\` is for ${kinds?.join(" and ")}`);
  throw new ConfigError(`${complaints.join("; ")}: got it with \`model\` ${kind}`);
}

/** "d-model" for "dModel". */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function checkTogether(settings: Settings): void {
  const { dModel, heads, minLearningRate, learningRate, schedule, minLength, maxLength, skipSpikes } =
    settings;
  const { documents, split } = settings;
  if (dModel % heads !== 0) {
    throw new ConfigError(
      `\`dModel\` must be a multiple of \`heads\`: got ${dModel} channels for ${heads} heads`,
    );
  }
  if (schedule !== "constant" && minLearningRate > learningRate) {
    throw new ConfigError(
      `\`minLearningRate\` must not be above \`learningRate\`: got ${minLearningRate} and ${learningRate}`,
    );
  }
  if (skipSpikes > 0 && skipSpikes <= 1) {
    throw new ConfigError(
      `\`skipSpikes\` must be 0, or more than 1: got ${skipSpikes}; 10 is a usual choice`,
    );
  }
  if (split === "shuffle" && documents === "none") {
    throw new ConfigError(
      "`split` shuffle chooses documents: set `documents` to lines, paragraphs or files too, so that it is known what they are",
    );
  }
  if (minLength > maxLength) {
    throw new ConfigError(`\`minLength\` must not be above \`maxLength\`: got ${minLength} and ${maxLength}`);
  }
}
