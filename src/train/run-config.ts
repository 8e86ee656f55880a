/** `config.json` of a run directory: all that is needed to build the model again and to repeat the run. */
import { z } from "zod";
import { CheckpointError } from "../errors.ts";
import type { GPTConfig } from "../nn/config.ts";
import type { Tokenizer, TokenizerData } from "../text/tokenizer.ts";
import { tokenizerFromJSON } from "../text/tokenizer-from-json.ts";
import { resolveSettings, type Settings } from "./settings.ts";

/** What a run remembers of the text that it was trained on. */
export interface CorpusRecord {
  readonly path: string;
  readonly sha256: string;
  readonly characters: number;
}

export interface RunConfig {
  readonly settings: Settings;
  readonly tokenizer: Tokenizer;
  readonly corpus: CorpusRecord;
}

const layout = z.object({
  settings: z.record(z.string(), z.unknown()),
  tokenizer: z.unknown(),
  corpus: z.object({ path: z.string(), sha256: z.string(), characters: z.int().min(0) }),
});

export function runConfigToJSON(config: RunConfig): {
  settings: Settings;
  tokenizer: TokenizerData;
  corpus: CorpusRecord;
} {
  return { settings: config.settings, tokenizer: config.tokenizer.toJSON(), corpus: config.corpus };
}

/**
 * @param where the file, for messages
 * @throws CheckpointError when it is not the config of a run
 */
export function runConfigFromJSON(json: unknown, where: string): RunConfig {
  const result = layout.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new CheckpointError(`${where}: not the config of a run: ${issue.path.join(".")}: ${issue.message}`);
  }
  const { settings, tokenizer, corpus } = result.data;
  try {
    return { settings: resolveSettings(settings), tokenizer: tokenizerFromJSON(tokenizer), corpus };
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new CheckpointError(`${where}: ${cause.message}`, { cause });
  }
}

/** The part of the settings that builds a model. */
export function gptConfigOf(settings: Settings, vocabSize: number): GPTConfig {
  const { contextLength, layers, heads, dModel, dropout, bias, activation, tieHead, bigram, attention } =
    settings;
  return {
    vocabSize,
    contextLength,
    layers,
    heads,
    dModel,
    dropout,
    bias,
    activation,
    tieHead,
    bigram,
    attention,
  };
}
