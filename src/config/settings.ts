/**
 * Every setting of a run, in one table: name, check, default, unit and help. The type, the JSON in a run
 * directory, the flags and `--help` are all made from it, so they cannot disagree.
 */
import { z } from "zod";
import { ConfigError } from "../errors.ts";
import { UNKNOWN_POLICIES } from "../text/unknown.ts";
import { nearest } from "../util/edit-distance.ts";

/** random: any place, drawn with replacement; epochs: every token once before any comes again. */
export const WINDOW_ORDERS = ["random", "epochs"] as const;
export type WindowOrderName = (typeof WINDOW_ORDERS)[number];

/** What can be trained: a decoder, an encoder, or both with the one looking at the other. */
export const MODEL_KINDS = ["gpt", "encoder", "seq2seq"] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

/** What a seq2seq model can be asked to do with a string. */
export const TASKS = ["reverse", "sort"] as const;
export type Task = (typeof TASKS)[number];

/** What a person needs to know about a setting besides its check and its default. */
export interface Description {
  readonly group: "model" | "training";
  readonly help: string;
  /** The kinds of model that have this setting; left out, all. */
  readonly kinds?: readonly ModelKind[];
  /** What a number counts; left out where it is a bare number. */
  readonly unit?: string;
}

const descriptions = z.registry<Description>();

const model = (help: string, unit?: string): Description => describe("model", help, unit);
const training = (help: string, unit?: string): Description => describe("training", help, unit);

function describe(group: Description["group"], help: string, unit: string | undefined): Description {
  return unit === undefined ? { group, help } : { group, help, unit };
}

/** The same, for what only some kinds of model have. */
const only = (kinds: readonly ModelKind[], description: Description): Description => ({
  ...description,
  kinds,
});
const TEXT_KINDS = ["gpt", "encoder"] as const;

const MANY = 1_000_000_000;
/** A minute or two for a model of the usual size; all that is held out of a text of 40 MB. */
export const MEASURE_TOKENS = 4_000_000;
const count = (lowest: number, highest: number) => z.int().min(lowest).max(highest);
const real = (lowest: number, highest: number) => z.number().min(lowest).max(highest);
const share = () => z.number().min(0).lt(1);
const is = descriptions;

const table = z.strictObject({
  model: z
    .enum(MODEL_KINDS)
    .default("gpt")
    .register(
      is,
      model("gpt goes on with a text, encoder fills in blanks, seq2seq answers a string by another"),
    ),
  task: z
    .enum(TASKS)
    .default("reverse")
    .register(is, only(["seq2seq"], model("what seq2seq is to do with a string"))),
  layers: count(1, 1000).default(4).register(is, model("blocks of the model; in each half of seq2seq")),
  heads: count(1, 1000).default(4).register(is, model("attention heads in each layer; must divide `dModel`")),
  dModel: count(1, 65_536).default(128).register(is, model("width of the residual stream", "channels")),
  contextLength: count(1, 65_536)
    .default(64)
    .register(is, only(TEXT_KINDS, model("longest sequence the model sees", "tokens"))),
  dropout: share().default(0).register(is, model("probability of dropping an activation in training")),
  bias: z.boolean().default(true).register(is, model("biases in linear layers and norms")),
  activation: z
    .enum(["gelu", "gelu-tanh", "relu2", "swiglu"])
    .default("gelu")
    .register(is, model("in the MLP: GELU, exact or by tanh; ReLU squared; or a gate, with a third matrix")),
  positions: z
    .enum(["learned", "rotary", "none"])
    .default("learned")
    .register(
      is,
      model(
        "how tokens know their place; rotary turns queries and keys, and ends at the context like the others: longer distances were never learned",
      ),
    ),
  norm: z
    .enum(["layer", "rms"])
    .default("layer")
    .register(is, model("LayerNorm, or RMS norm, which leaves the mean alone")),
  normWeights: z.boolean().default(true).register(is, model("norms scale each channel by a learned weight")),
  qkNorm: z.boolean().default(false).register(is, model("normalize each head's queries and keys")),
  zeroInit: z.boolean().default(false).register(is, model("blocks start as the identity: they write 0")),
  tieHead: z.boolean().default(true).register(is, model("the head reads the token embedding's weights")),
  bigram: z
    .boolean()
    .default(false)
    .register(
      is,
      only(
        ["gpt"],
        model("an embedding of each pair of neighboring tokens; beyond 131,072 pairs, by a hash"),
      ),
    ),
  logitCap: real(0, 1e6)
    .default(0)
    .register(is, only(["gpt"], model("press logits softly to within this of 0; 0 leaves them"))),
  attention: z
    .enum(["fused", "textbook"])
    .default("fused")
    .register(is, model("one fast kernel, or the formula from plain ops: the same numbers")),
  tokenizer: z
    .enum(["char", "byte"])
    .default("char")
    .register(is, only(TEXT_KINDS, model("tokens are the characters of the corpus, or bytes of UTF-8"))),
  alphabetSize: count(2, 26)
    .default(10)
    .register(is, only(["seq2seq"], model("strings are made of the first so many of a to z", "letters"))),
  minLength: count(1, 1000)
    .default(3)
    .register(is, only(["seq2seq"], model("shortest string to learn from", "letters"))),
  maxLength: count(1, 1000)
    .default(10)
    .register(is, only(["seq2seq"], model("longest string that the model sees", "letters"))),

  batchSize: count(1, 65_536)
    .default(12)
    .register(is, training("windows, or strings, in a batch", "windows")),
  windows: z
    .enum(WINDOW_ORDERS)
    .default("random")
    .register(
      is,
      only(
        TEXT_KINDS,
        training("random: drawn from every place; epochs: every token comes once before any comes again"),
      ),
    ),
  steps: count(0, MANY).default(2000).register(is, training("updates to make in all", "steps")),
  optimizer: z
    .enum(["adamw", "muon"])
    .default("adamw")
    .register(is, training("muon moves the blocks' matrices, and AdamW what is left")),
  muonLearningRate: real(0, 10).default(0.02).register(is, training("for what Muon moves, after warm-up")),
  muonMomentum: share().default(0.95).register(is, training("Muon's memory of the gradient")),
  learningRate: real(0, 10).default(1e-3).register(is, training("after warm-up")),
  minLearningRate: real(0, 10).default(1e-4).register(is, training("where the schedule ends")),
  schedule: z
    .enum(["cosine", "linear", "constant", "trapezoid"])
    .default("cosine")
    .register(is, training("how the learning rate falls after warm-up; a trapezoid stays, then falls")),
  cooldown: z
    .number()
    .gt(0)
    .max(1)
    .default(0.4)
    .register(is, training("share of the steps after warm-up over which a trapezoid falls")),
  warmupSteps: count(0, MANY)
    .default(100)
    .register(is, training("the learning rate rises over these", "steps")),
  weightDecay: real(0, 10).default(0.1).register(is, training("pull towards 0 on matrices and embeddings")),
  beta1: share().default(0.9).register(is, training("AdamW's memory of the gradient")),
  beta2: share().default(0.99).register(is, training("AdamW's memory of the gradient's square")),
  epsilon: z
    .number()
    .gt(0)
    .max(1)
    .default(1e-8)
    .register(is, training("AdamW's guard against division by 0")),
  gradClip: real(0, 1e6).default(1).register(is, training("largest norm of the gradient; 0 does not clip")),
  skipSpikes: real(0, 1e6)
    .default(0)
    .register(
      is,
      training("leave out updates whose gradient norm is beyond so many times the recent median; 0 never"),
    ),
  gradAccumulation: count(1, 65_536)
    .default(1)
    .register(is, training("batches that make one update", "batches")),
  averageSteps: count(0, MANY)
    .default(0)
    .register(
      is,
      training(
        "evaluate and keep the mean of the weights over about the last so many; 0 the newest",
        "steps",
      ),
    ),
  evalInterval: count(1, MANY).default(250).register(is, training("between evaluations", "steps")),
  patience: count(0, MANY)
    .default(0)
    .register(
      is,
      training(
        "stop after so many evaluations without a lower validation loss, each of the whole split; 0 goes on",
        "evaluations",
      ),
    ),
  evalBatches: count(1, 65_536)
    .default(10)
    .register(is, training("random batches in a quick estimate", "batches")),
  measureTokens: count(1, Number.MAX_SAFE_INTEGER)
    .default(MEASURE_TOKENS)
    .register(
      is,
      only(
        TEXT_KINDS,
        training(
          "most of what is held out that a measurement takes; of more, windows spread over it, always the same",
          "tokens",
        ),
      ),
    ),
  checkpointInterval: count(1, MANY).default(500).register(is, training("between checkpoints", "steps")),
  keepCheckpoints: count(1, MANY)
    .default(3)
    .register(is, training("newest that stay; the latest and the best stay in any case", "checkpoints")),
  unknown: z
    .enum(UNKNOWN_POLICIES)
    .default("reject")
    .register(
      is,
      only(
        TEXT_KINDS,
        training(
          "characters that a model which learns on (`from`) does not know; byte: byte tokenizers only",
        ),
      ),
    ),
  seed: count(0, Number.MAX_SAFE_INTEGER)
    .default(1337)
    .register(is, training("where all randomness comes from")),
});

export type Settings = Readonly<z.infer<typeof table>>;
export type SettingName = keyof Settings;

/** One row of the table, as flags and help need it. */
export interface Setting extends Description {
  readonly name: SettingName;
  readonly default: number | string | boolean;
  readonly kind: "number" | "switch" | "choice";
  /** The words that a choice may take. */
  readonly choices: readonly string[];
}

export const SETTINGS: readonly Setting[] = table.keyof().options.map((name) => {
  const check = table.shape[name];
  const description = descriptions.get(check);
  if (description === undefined) throw new ConfigError(`settings: ${name} is not described`);
  const inner = check.unwrap();
  const choices = inner instanceof z.ZodEnum ? inner.options : [];
  const kind = inner instanceof z.ZodEnum ? "choice" : inner instanceof z.ZodBoolean ? "switch" : "number";
  return { ...description, name, default: check.parse(undefined), kind, choices };
});

/**
 * Whole and checked settings: the table's defaults, replaced by each layer in turn.
 *
 * @throws ConfigError for an unknown name, with the nearest known one, for a value out of range, and for values
 *   at odds with each other
 */
export function resolveSettings(...layers: readonly Readonly<Record<string, unknown>>[]): Settings {
  const input: Record<string, unknown> = Object.assign({}, ...layers);
  const result = table.safeParse(input);
  if (!result.success) {
    throw new ConfigError(result.error.issues.map((issue) => explain(issue, input)).join("\n"));
  }
  checkTogether(result.data);
  return result.data;
}

/** Whether a kind of model has this setting. */
export function belongsTo(kind: ModelKind, { kinds }: Setting): boolean {
  return kinds === undefined || kinds.includes(kind);
}

/**
 * Checks that settings which were asked for by name are ones that the model has.
 *
 * @throws ConfigError for those that it has not, with the kinds that have them
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

function explain(issue: z.core.$ZodIssue, input: Readonly<Record<string, unknown>>): string {
  if (issue.code === "unrecognized_keys") {
    const names = SETTINGS.map(({ name }) => name);
    return issue.keys
      .map((key) => `there is no setting "${key}"; did you mean "${nearest(key, names)}"?`)
      .join("\n");
  }
  const name = String(issue.path[0]);
  return `\`${name}\` ${demandOf(issue)}: got ${JSON.stringify(input[name])}${hint(issue, input[name])}`;
}

/** The word that may have been meant. */
function hint(issue: z.core.$ZodIssue, given: unknown): string {
  if (issue.code !== "invalid_value" || typeof given !== "string") return "";
  return `; did you mean "${nearest(given, issue.values.map(String))}"?`;
}

/** What would be right, in words. */
function demandOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_small":
      return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      return `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
    case "invalid_value":
      return `must be ${issue.values.join(" or ")}`;
    case "invalid_type":
      return issue.expected === "int" ? "must be a whole number" : `must be a ${issue.expected}`;
    default:
      return issue.message;
  }
}

function checkTogether(settings: Settings): void {
  const { dModel, heads, minLearningRate, learningRate, schedule, minLength, maxLength, skipSpikes } =
    settings;
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
  if (minLength > maxLength) {
    throw new ConfigError(`\`minLength\` must not be above \`maxLength\`: got ${minLength} and ${maxLength}`);
  }
}
