/**
 * Settings of tiny trainings, among which every two values of different settings occur together. Switches and choices
 * come from the settings table, so a new option is tried with all others.
 */
import { MODEL_KINDS } from "../../src/config/choices.ts";
import {
  parseSettings,
  SETTINGS,
  type Setting,
  type SettingName,
  type Settings,
} from "../../src/config/settings.ts";
import { type Choice, coverPairs, type Factors } from "./covering-array.ts";

/** undefined for a setting that the kind of model does not have. */
export type Value = number | string | boolean | undefined;

/** The characters of a text, and the alphabet of sequences. */
export const VOCAB = 26;

/** Sizes leave parts of strips and tiles over. */
const NUMBERS: Partial<Record<SettingName, readonly number[]>> = {
  ...{ layers: [1, 2], heads: [1, 2, 4], kvHeads: [0, 1, 2], headSize: [0, 5, 12, 20], dModel: [20, 48] },
  ...{ contextLength: [15, 50], dropout: [0, 0.3], mlpWidth: [0, 29], ropeBase: [100, 10_000] },
  ...{ normEpsilon: [1e-5, 0.1], logitCap: [0, 2], batchSize: [2, 3], muonLearningRate: [0.02] },
  ...{ muonMomentum: [0, 0.95], muonWeightDecay: [0, 0.3] },
  ...{ learningRate: [1e-3, 0.02], minLearningRate: [0, 1e-3] },
  ...{ cooldown: [0.4, 1], warmupSteps: [0, 2], weightDecay: [0, 0.1], beta1: [0, 0.9], beta2: [0, 0.99] },
  ...{ epsilon: [1e-8, 1e-3], gradClip: [0, 0.1, 1], skipSpikes: [0, 10], gradAccumulation: [1, 2, 3] },
  ...{ averageSteps: [0, 5], minLength: [6], maxLength: [20], alphabetSize: [VOCAB], steps: [3] },
};

/** Settings that do not reach the arithmetic of a step. */
const ELSEWHERE: ReadonlySet<SettingName> = new Set<SettingName>([
  // How a text becomes token ids.
  ...(["tokenizer", "vocabSize", "unknown", "documents", "minCount", "split"] as const),
  // When to measure, save and end.
  ...(["evalInterval", "patience", "evalBatches", "measureTokens", "checkpointInterval"] as const),
  ...(["keepCheckpoints", "seed"] as const),
  // For several processes.
  "shardOptimizer",
]);

const byName = new Map<string, Setting>(SETTINGS.map((setting) => [setting.name, setting]));

/** The values of every setting that the arithmetic depends on. */
export const factors: Factors<Value> = new Map(
  SETTINGS.filter(({ name }) => !ELSEWHERE.has(name)).map((setting) => [setting.name, valuesOf(setting)]),
);

function valuesOf({ name, kind, choices, kinds }: Setting): Value[] {
  const numbers = NUMBERS[name];
  if (kind === "number" && numbers === undefined)
    throw new Error(`${name} is a new number: add values to try, or say that a step does not depend on it`);
  const values = kind === "number" ? (numbers ?? []) : kind === "switch" ? [false, true] : choices;
  return kinds === undefined ? [...values] : [...values, undefined];
}

/** Whether a model can have these values. */
export function goTogether(choice: Choice<Value>): boolean {
  const value = (name: SettingName) => choice.get(name);
  const number = (name: SettingName) => Number(choice.get(name) ?? Number.NaN);
  const kinds = MODEL_KINDS.filter((kind) =>
    [...choice].every(([name, given]) =>
      name === "model"
        ? given === kind
        : (byName.get(name)?.kinds?.includes(kind) ?? true) === (given !== undefined),
    ),
  );
  if (kinds.length === 0) return false;
  if (value("qkNormWeights") === true && value("qkNorm") === false) return false;
  if (number("heads") % number("kvHeads") > 0) return false;
  const size = number("headSize") === 0 ? number("dModel") / number("heads") : number("headSize");
  return !(value("positions") === "rotary" && size % 2 > 0);
}

/** Every two values that go together occur in one of these. */
export const pairedValues = (): Choice<Value>[] => coverPairs(factors, goTogether);

/** Each choice with another seed. @throws ConfigError for values that do not go together after all */
export function settingsOf(choices: readonly Choice<Value>[]): Settings[] {
  return choices.map((choice, seed) => parseSettings({ ...Object.fromEntries(choice), seed }));
}
