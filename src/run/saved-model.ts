/** A trained model on disk: read and checked first, then built wherever it is to compute. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Context } from "../autograd/context.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import { countParameters } from "../nn/count-parameters.ts";
import { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { buildModel, gptConfigOf, type Model, type RunConfig, runConfigFromJSON } from "./config.ts";
import { loadModelFiles, type ModelFiles } from "./directory.ts";
import { restore } from "./restore.ts";

/** The model that comes with nopeek. */
export const SHIPPED_MODEL_PATH = fileURLToPath(new URL("../../checkpoints/tales", import.meta.url));

/** What was read and fits together; nothing is allocated on a backend yet. */
export interface SavedModel {
  readonly config: RunConfig;
  readonly files: ModelFiles;
}

/** A model that is ready to use, and how texts become its tokens. */
export interface LoadedModel<Kind extends Model = GPT> {
  readonly model: Kind;
  readonly tokenizer: Tokenizer;
  readonly config: RunConfig;
}

/**
 * @param path a run directory, or one step folder in it
 * @throws CheckpointError when it does not hold a whole and fitting model
 */
export function readSavedModel(path: string): SavedModel {
  const files = loadModelFiles(path);
  const configFile = configFileOf(files);
  const config = runConfigFromJSON(files.config, configFile);
  checkCount(config, configFile, files);
  return { config, files };
}

/** @throws CheckpointError when the weights are not those of the config */
export function buildSavedModel(context: Context, { config, files }: SavedModel): LoadedModel<Model> {
  const { settings, tokenizer } = config;
  // The weights are replaced at once by the stored ones.
  const model = buildModel(context, settings, tokenizer.vocabSize, Random.zeros());
  restore(model.parameters(), files.tensors, join(files.folder, "model.safetensors"));
  return { model, tokenizer, config };
}

/** A model of any kind, as `nopeek train` leaves it. Throws as `readSavedModel` does. */
export function loadModel(context: Context, path: string): LoadedModel<Model> {
  return buildSavedModel(context, readSavedModel(path));
}

/**
 * A GPT. Throws as `readSavedModel` does, and
 *
 * @throws ConfigError when the model is of another kind
 */
export function loadGPT(context: Context, path: string = SHIPPED_MODEL_PATH): LoadedModel {
  const saved = readSavedModel(path);
  const { model, ...rest } = buildSavedModel(context, saved);
  if (model instanceof GPT) return { ...rest, model };
  throw new ConfigError(
    `${path}: is a model of kind ${rest.config.settings.model}: got it where a gpt is needed; loadModel takes every kind`,
  );
}

function configFileOf({ folder }: ModelFiles): string {
  return join(dirname(folder), "config.json");
}

/** Before anything is allocated: a config that was edited may ask for any size. */
function checkCount({ settings, tokenizer }: RunConfig, configFile: string, files: ModelFiles): void {
  const { tensors, folder } = files;
  const described = countParameters(gptConfigOf(settings, tokenizer.vocabSize), settings.model);
  const stored = [...tensors.values()].reduce((count, { values }) => count + values.length, 0);
  if (described === stored) return;
  throw new CheckpointError(
    `${configFile}: describes a model of ${described} parameters, and ${join(folder, "model.safetensors")} holds ${stored}: one of the two is not as it was saved`,
  );
}
