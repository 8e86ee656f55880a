/** `config.json` of a run directory: everything needed to rebuild the model and to repeat the run. */

import * as z from "zod/mini";
import { belongsTo, parseSettings, SETTINGS, type Settings } from "../config/settings.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import type { GPTConfig } from "../nn/config.ts";
import type { Tokenizer, TokenizerData } from "../text/tokenizer.ts";
import { tokenizerFromJSON } from "../text/tokenizer-from-json.ts";
import { checkTypes } from "../util/check-types.ts";
import { IN_ENGLISH } from "../util/english.ts";
import {
  type ChangedSettings,
  earlierSchedules,
  type SettingsChange,
  settingsChange,
} from "./settings-history.ts";

/** Identifies the text that a run is trained on. */
export interface CorpusRecord {
  readonly path: string;
  /** The paths as given, if the text consists of several. */
  readonly paths?: readonly string[] | undefined;
  readonly sha256: string;
  readonly characters: number;
  /** The paths of a separate text to validate with. */
  readonly validation?: readonly string[] | undefined;
  /** The patterns for files of folders. */
  readonly include?: readonly string[] | undefined;
  /** The number of tokens to train on, if the text is not split at its end. */
  readonly boundary?: number | undefined;
  /** The character that starts a text (see data/text-start.ts); left out by earlier versions. */
  readonly start?: string | undefined;
}

export interface RunConfig extends ChangedSettings {
  /** The current settings. */
  readonly settings: Settings;
  readonly tokenizer: Tokenizer;
  /** null if the model draws its own training data. */
  readonly corpus: CorpusRecord | null;
  /** The run whose model this one fine-tunes; left out if it started from random weights. */
  readonly from?: string | undefined;
  /** Where the model came from, if it was not trained here. */
  readonly origin?: OriginRecord | undefined;
}

/** A model of another program. */
export interface OriginRecord {
  /** The name of its folder. */
  readonly folder: string;
  /** `model_type` in its config.json, such as "llama". */
  readonly modelType: string;
  /** The types of the numbers in its files, such as "BF16". */
  readonly numbers: readonly string[];
}

const count = z.int().check(z.minimum(0));

const layout = z.object({
  settings: z.record(z.string(), z.unknown()),
  tokenizer: z.unknown(),
  corpus: z.nullable(
    z.object({
      path: z.string(),
      paths: z.optional(z.array(z.string())),
      sha256: z.string(),
      characters: count,
      validation: z.optional(z.array(z.string())),
      include: z.optional(z.array(z.string())),
      boundary: z.optional(count),
      start: z.optional(z.string()),
    }),
  ),
  from: z.optional(z.string()),
  origin: z.optional(z.object({ folder: z.string(), modelType: z.string(), numbers: z.array(z.string()) })),
  changes: z.optional(z.array(settingsChange)),
});

/** The config as JSON, without the settings of other kinds of model. */
export function runConfigToJSON(config: RunConfig): {
  settings: Partial<Settings>;
  tokenizer: TokenizerData;
  corpus: CorpusRecord | null;
  from?: string;
  origin?: OriginRecord;
  changes?: readonly SettingsChange[];
} {
  checkTypes("runConfigToJSON", { config }, { config: ["settings", "tokenizer", "corpus"] });
  const { settings, tokenizer, corpus, from, origin, changes = [] } = config;
  const own = SETTINGS.filter((setting) => belongsTo(settings, setting));
  const kept = Object.fromEntries(own.map(({ name }) => [name, settings[name]]));
  return {
    settings: kept,
    tokenizer: tokenizer.toJSON(),
    corpus,
    ...(from !== undefined && { from }),
    ...(origin !== undefined && { origin }),
    ...(changes.length > 0 && { changes }),
  };
}

/**
 * @param where the file, for messages
 * @throws CheckpointError when it is not the config of a run
 */
export function runConfigFromJSON(json: unknown, where: string): RunConfig {
  const result = layout.safeParse(json, IN_ENGLISH);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new CheckpointError(`${where}: not the config of a run: ${issue.path.join(".")}: ${issue.message}`);
  }
  const { settings, tokenizer, corpus, from, origin, changes } = result.data;
  try {
    const config = {
      settings: parseSettings(withRenamedValues(settings)),
      tokenizer: tokenizerFromJSON(tokenizer),
      corpus,
      ...(from !== undefined && { from }),
      ...(origin !== undefined && { origin }),
      ...(changes !== undefined && { changes }),
    };
    checkChanges(config);
    return config;
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new CheckpointError(`${where}: ${cause.message}`, { cause });
  }
}

/** @throws ConfigError for a change of an unknown setting, one out of range, or one out of order */
function checkChanges(config: ChangedSettings): void {
  earlierSchedules(config);
  const steps = (config.changes ?? []).map(({ afterStep }) => afterStep);
  if (steps.some((step, i) => i > 0 && step < steps[i - 1]))
    throw new ConfigError(`the changes of settings are out of order: after steps ${steps.join(", ")}`);
}

/** Values that were renamed since earlier versions. */
const RENAMED_VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  activation: { exact: "gelu", tanh: "gelu-tanh" },
};

function withRenamedValues(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      const renamed = Object.hasOwn(RENAMED_VALUES, name) ? RENAMED_VALUES[name] : {};
      return [name, typeof value === "string" && Object.hasOwn(renamed, value) ? renamed[value] : value];
    }),
  );
}

/** The settings that define a model. */
export function gptConfigOf(settings: Settings, vocabSize: number): GPTConfig {
  checkTypes("gptConfigOf", { settings, vocabSize }, { settings: ["layers", "dModel"], vocabSize: "number" });
  const { layers, heads, kvHeads, headSize, dModel, dropout, bias, positions, ropeBase, attention } =
    settings;
  const { activation, mlpWidth, norm, normEpsilon, normWeights, qkNorm, qkNormWeights } = settings;
  const { zeroInit, tieHead, bigram, logitCap, checkpointActivations } = settings;
  const contextLength = contextLengthOf(settings);
  return {
    ...{ vocabSize, contextLength, layers, heads, kvHeads, headSize, dModel, dropout, bias, attention },
    ...{ positions, ropeBase, activation, mlpWidth, norm, normEpsilon, normWeights, qkNorm, qkNormWeights },
    ...{ zeroInit, tieHead, bigram, logitCap, checkpointActivations },
  };
}

/** A seq2seq model needs room for [start] and the longest answer. */
function contextLengthOf({ model, contextLength, maxLength }: Settings): number {
  return model === "seq2seq" ? maxLength + 1 : contextLength;
}
