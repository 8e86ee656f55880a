/**
 * Every setting of a run, in one table: name, validation, default, unit and help. The TypeScript type, what editors
 * show, the JSON in a run directory, the flags and `--help` are all derived from it, so they cannot disagree.
 */

import * as z from "zod/mini";
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

/** What tokens are: characters, bytes, frequent sequences of bytes (byte-pair encoding), or what an imported model brings. */
export const TOKENIZERS = ["char", "byte", "bpe", "huggingface"] as const;
export type TokenizerKind = (typeof TOKENIZERS)[number];

/** The documentation of a setting, apart from its validation and default. */
export interface Description {
  readonly group: "model" | "training";
  readonly help: string;
  /** The kinds of model that have this setting. Default: all. */
  readonly kinds?: readonly ModelKind[];
  /** The tokenizers that have this setting. Default: all. */
  readonly tokenizers?: readonly TokenizerKind[];
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

/** A row of the table: what is valid, the default, and the documentation. */
function setting<Valid extends z.ZodMiniType>(
  valid: Valid,
  fallback: z.util.NoUndefined<z.output<Valid>>,
  description: Description,
): z.ZodMiniDefault<Valid> {
  const row = z._default(valid, fallback);
  descriptions.add(row, description);
  return row;
}

const table = z.strictObject({
  model: setting(
    z.enum(MODEL_KINDS),
    "gpt",
    model("gpt continues text, encoder fills in blanks, seq2seq maps one string to another"),
  ),
  task: setting(z.enum(TASKS), "reverse", only(["seq2seq"], model("task a seq2seq model is trained on"))),
  layers: setting(
    count(1, 1000),
    4,
    model("Transformer blocks; for seq2seq, in the encoder and in the decoder"),
  ),
  heads: setting(
    count(1, 1000),
    4,
    model("attention heads per layer; must divide the model width, unless `headSize` is given"),
  ),
  kvHeads: setting(
    count(0, 1000),
    0,
    model(
      "heads of keys and values, each shared by a group of query heads (grouped-query attention); 0 means one for each of `heads`",
    ),
  ),
  headSize: setting(count(0, 65_536), 0, model("size of a head; 0 means model width / heads", "channels")),
  dModel: setting(count(1, 65_536), 128, model("model width: size of the residual stream", "channels")),
  contextLength: setting(
    count(1, 65_536),
    64,
    only(TEXT_KINDS, model("longest sequence the model sees", "tokens")),
  ),
  dropout: setting(share(), 0, model("dropout probability during training")),
  bias: setting(z.boolean(), true, model("biases in linear layers and norms")),
  activation: setting(
    z.enum(["gelu", "gelu-tanh", "relu2", "swiglu"]),
    "gelu",
    model(
      "MLP activation: exact GELU, its tanh approximation, squared ReLU, or SwiGLU, which adds a third matrix",
    ),
  ),
  mlpWidth: setting(
    count(0, MANY),
    0,
    model(
      "size of the MLP's hidden layer; 0 means 4 times the model width, or 8/3 times with swiglu",
      "channels",
    ),
  ),
  positions: setting(
    z.enum(["learned", "rotary", "none"]),
    "learned",
    model(
      "learned position embeddings, rotary (RoPE), or none; rotary is limited to the context length too, because longer distances are not trained",
    ),
  ),
  ropeBase: setting(
    z.number().check(z.minimum(1), z.maximum(1e12)),
    10_000,
    model("base of the angles of rotary positions; models with a long context have a larger one"),
  ),
  norm: setting(
    z.enum(["layer", "rms"]),
    "layer",
    model("LayerNorm, or RMSNorm, which does not subtract the mean"),
  ),
  normEpsilon: setting(
    z.number().check(z.minimum(LEAST), z.maximum(1)),
    1e-5,
    model("the norms' ε, which avoids division by 0"),
  ),
  normWeights: setting(z.boolean(), true, model("learned scale for each channel in norms")),
  qkNorm: setting(z.boolean(), false, model("normalize the queries and keys of each head")),
  qkNormWeights: setting(
    z.boolean(),
    false,
    model("learned scale for each channel of a head in that norm; needs `qkNorm`"),
  ),
  zeroInit: setting(
    z.boolean(),
    false,
    model("initialize the blocks' output weights to 0, so each block starts as the identity"),
  ),
  tieHead: setting(z.boolean(), true, model("share the token embedding's weights with the output head")),
  bigram: setting(
    z.boolean(),
    false,
    only(["gpt"], model("add an embedding of each pair of adjacent tokens; hashed beyond 131,072 pairs")),
  ),
  logitCap: setting(
    real(1e6),
    0,
    only(["gpt"], model("soft limit on the magnitude of logits; 0 means no limit")),
  ),
  attention: setting(
    z.enum(["fused", "textbook"]),
    "fused",
    model("one fast kernel, or the textbook formula from plain ops: the same numbers but for the last bits"),
  ),
  tokenizer: setting(
    z.enum(TOKENIZERS),
    "char",
    only(
      TEXT_KINDS,
      model(
        "tokens are the characters of the corpus, UTF-8 bytes, or byte pairs (BPE): frequent sequences of bytes, learned from the part of the text to train on; huggingface is the tokenizer of an imported model",
      ),
    ),
  ),
  vocabSize: setting(count(257, 65_536), 512, {
    ...only(TEXT_KINDS, model("size of the vocabulary of tokenizer bpe: 256 bytes and the rest", "tokens")),
    tokenizers: ["bpe"],
  }),
  alphabetSize: setting(
    count(2, 26),
    10,
    only(["seq2seq"], model("number of letters in the alphabet, starting at a", "letters")),
  ),
  minLength: setting(count(1, 1000), 3, only(["seq2seq"], model("shortest training string", "letters"))),
  maxLength: setting(
    count(1, 1000),
    10,
    only(["seq2seq"], model("longest string the model sees", "letters")),
  ),

  batchSize: setting(count(1, 65_536), 12, training("windows (for seq2seq, strings) per batch", "windows")),
  documents: setting(
    z.enum(DOCUMENTS),
    "none",
    only(
      TEXT_KINDS,
      training(
        "what the text consists of, such as names, tunes or messages: each line, paragraph (up to an empty line) or file is a document, and an end token follows it, which the model learns; none: one text. Windows may span several documents",
      ),
    ),
  ),
  minCount: setting(
    count(1, MANY),
    1,
    only(
      TEXT_KINDS,
      training(
        "leave characters that occur less often out of the vocabulary and of the text; above 1, `unknown` is drop",
        "occurrences",
      ),
    ),
  ),
  split: setting(
    z.enum(SPLITS),
    "tail",
    only(
      TEXT_KINDS,
      training(
        "what to validate with. tail: the last tenth of the text; shuffle: a tenth of the documents from anywhere in it, the same ones for every seed",
      ),
    ),
  ),
  windows: setting(
    z.enum(WINDOW_ORDERS),
    "random",
    only(
      TEXT_KINDS,
      training(
        "random: drawn from anywhere in the training split; epochs: every token at most once per epoch",
      ),
    ),
  ),
  steps: setting(count(0, MANY), 2000, training("training steps in total", "steps")),
  optimizer: setting(
    z.enum(["adamw", "muon"]),
    "adamw",
    training("muon updates the matrices inside blocks, and leaves the rest to AdamW"),
  ),
  muonLearningRate: setting(real(10), 0.02, training("Muon's peak learning rate, after warm-up")),
  muonMomentum: setting(share(), 0.95, training("Muon's momentum")),
  muonWeightDecay: setting(
    real(10),
    0,
    training("Muon's decoupled weight decay, on the matrices inside blocks"),
  ),
  learningRate: setting(real(10), 1e-3, training("peak learning rate, after warm-up")),
  minLearningRate: setting(real(10), 1e-4, training("learning rate at the end of the schedule")),
  schedule: setting(
    z.enum(["cosine", "linear", "constant", "trapezoid"]),
    "cosine",
    training("learning rate after warm-up; trapezoid holds it, then decays linearly"),
  ),
  cooldown: setting(
    z.number().check(z.gt(0), z.maximum(1)),
    0.4,
    training("fraction of the steps after warm-up in which trapezoid decays"),
  ),
  warmupSteps: setting(
    count(0, MANY),
    100,
    training("length of the linear warm-up of the learning rate", "steps"),
  ),
  weightDecay: setting(
    real(10),
    0.1,
    training(
      "AdamW's decoupled weight decay, on matrices and embeddings; with muon, only on those outside blocks",
    ),
  ),
  beta1: setting(share(), 0.9, training("AdamW's β₁: decay rate of the first moment")),
  beta2: setting(share(), 0.99, training("AdamW's β₂: decay rate of the second moment")),
  epsilon: setting(
    z.number().check(z.minimum(LEAST_EPSILON), z.maximum(1)),
    1e-8,
    training("AdamW's ε, which avoids division by 0"),
  ),
  gradClip: setting(real(1e6), 1, training("maximum gradient norm; 0 turns clipping off")),
  skipSpikes: setting(
    real(1e6),
    0,
    training("skip updates whose gradient norm exceeds this multiple of the recent median; 0 skips none"),
  ),
  gradAccumulation: setting(count(1, 65_536), 1, training("batches per update", "batches")),
  averageSteps: setting(
    count(0, MANY),
    0,
    training("evaluate and save the weights averaged over about this many steps; 0 uses the newest", "steps"),
  ),
  evalInterval: setting(count(1, MANY), 250, training("interval between evaluations", "steps")),
  patience: setting(
    count(0, MANY),
    0,
    training(
      "stop after this many evaluations of the whole split without a lower validation loss; 0 never stops early",
      "evaluations",
    ),
  ),
  evalBatches: setting(count(1, 65_536), 10, training("random batches in a quick loss estimate", "batches")),
  measureTokens: setting(
    count(1, Number.MAX_SAFE_INTEGER),
    MEASURE_TOKENS,
    only(
      TEXT_KINDS,
      training(
        "maximum number of validation tokens in a full evaluation; a longer split is sampled with a fixed set of windows",
        "tokens",
      ),
    ),
  ),
  checkpointInterval: setting(count(1, MANY), 500, training("interval between checkpoints", "steps")),
  keepCheckpoints: setting(
    count(1, MANY),
    3,
    training("newest checkpoints to keep; the latest and the best are always kept", "checkpoints"),
  ),
  unknown: setting(
    z.enum(UNKNOWN_POLICIES),
    "reject",
    only(
      TEXT_KINDS,
      training(
        "when fine-tuning, how to handle characters the tokenizer does not know; byte needs a byte tokenizer",
      ),
    ),
  ),
  seed: setting(count(0, Number.MAX_SAFE_INTEGER), 1337, training("random seed")),
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

export const SETTINGS: readonly Setting[] = z.keyof(table).options.map((name) => {
  const check = table.shape[name];
  const description = descriptions.get(check);
  if (description === undefined) throw new ConfigError(`settings: ${name} has no description`);
  const inner = check.def.innerType;
  const choices = inner instanceof z.ZodMiniEnum ? inner.options : [];
  const kind =
    inner instanceof z.ZodMiniEnum ? "choice" : inner instanceof z.ZodMiniBoolean ? "switch" : "number";
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

/** What decides which settings there are. */
type Having = Pick<Settings, "model" | "tokenizer">;

/** Whether a kind of model with this tokenizer has a setting. */
export function belongsTo({ model, tokenizer }: Having, { kinds, tokenizers }: Setting): boolean {
  return (kinds?.includes(model) ?? true) && (tokenizers?.includes(tokenizer) ?? true);
}

/**
 * Checks that each given setting applies to this kind of model and its tokenizer.
 *
 * @throws ConfigError for those that do not, with what has them
 */
export function checkBelonging(having: Having, given: Readonly<Record<string, unknown>>): void {
  const strangers = SETTINGS.filter((setting) => setting.name in given && !belongsTo(having, setting));
  if (strangers.length === 0) return;
  const byModel = strangers.filter(({ kinds }) => kinds?.includes(having.model) === false);
  if (byModel.length > 0) {
    const complaints = byModel.map(({ name, kinds }) => `\`${name}\` is for ${kinds?.join(" and ")}`);
    throw new ConfigError(`${complaints.join("; ")}: got it with \`model\` ${having.model}`);
  }
  const [{ name, tokenizers }] = strangers;
  throw new ConfigError(
    `\`${name}\` is for \`tokenizer\` ${tokenizers?.join(" and ")}: got it with \`tokenizer\` ${having.tokenizer}`,
  );
}

/** "d-model" for "dModel". */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function checkTogether(settings: Settings): void {
  const { dModel, heads, minLearningRate, learningRate, schedule, minLength, maxLength, skipSpikes } =
    settings;
  const { documents, split, kvHeads, headSize, qkNorm, qkNormWeights } = settings;
  if (headSize === 0 && dModel % heads !== 0) {
    throw new ConfigError(
      `\`dModel\` must be a multiple of \`heads\`: got ${dModel} channels for ${heads} heads`,
    );
  }
  if (kvHeads > 0 && heads % kvHeads !== 0) {
    throw new ConfigError(
      `\`heads\` must be a multiple of \`kvHeads\`, because each head of keys serves the same number of query heads: got ${heads} and ${kvHeads}`,
    );
  }
  if (qkNormWeights && !qkNorm) {
    throw new ConfigError("`qkNormWeights` are the weights of `qkNorm`: turn that on too");
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
