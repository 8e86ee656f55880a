/** What an export needs of a trained model, and what it returns. */
import { ConfigError } from "../errors.ts";
import type { GPTConfig, ModelConfig } from "../nn/config.ts";
import { gptConfigOf } from "../run/config.ts";
import type { StoredTensor } from "../run/safetensors.ts";
import type { SavedModel } from "../run/saved-model.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { checkTypes } from "../util/check-types.ts";

/** A trained GPT without a backend: its options, its vocabulary and its weights by nopeek's names. */
export interface PortableModel {
  readonly config: GPTConfig;
  readonly tokenizer: Tokenizer;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** A trained encoder–decoder, as `PortableModel`. */
export interface PortableEncoderDecoder {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** A file of an export. Its name is a path in the folder of the export, with slashes: `onnx/model.onnx`. */
export interface ExportedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The model of a run, ready to be exported.
 *
 * @throws ConfigError when the model is an encoder or an encoder–decoder
 * @example portableModel(readSavedModel("checkpoints/tales", undefined, files))
 */
export function portableModel(saved: SavedModel): PortableModel {
  checkTypes("portableModel", { saved }, { saved: ["config", "files"] });
  const { settings, tokenizer } = saved.config;
  if (settings.model !== "gpt") {
    const help =
      settings.model === "seq2seq" ? "portableEncoderDecoder takes it" : "for which there is no format yet";
    throw new ConfigError(`this export needs a model of kind gpt: got ${settings.model}, ${help}`);
  }
  return { config: gptConfigOf(settings, tokenizer.vocabSize), tokenizer, tensors: saved.files.tensors };
}

/**
 * The encoder–decoder of a run, ready to be exported.
 *
 * @throws ConfigError when the model is of another kind
 * @example portableEncoderDecoder(readSavedModel("checkpoints/reverse", undefined, files))
 */
export function portableEncoderDecoder(saved: SavedModel): PortableEncoderDecoder {
  checkTypes("portableEncoderDecoder", { saved }, { saved: ["config", "files"] });
  const { settings, tokenizer } = saved.config;
  if (settings.model !== "seq2seq")
    throw new ConfigError(`this export needs a model of kind seq2seq: got ${settings.model}`);
  const { bigram: _, logitCap: __, ...config } = gptConfigOf(settings, tokenizer.vocabSize);
  return { config, tokenizer, tensors: saved.files.tensors };
}
