/** A trained model in files: it is read and checked, then built on a backend. */
import type { Context } from "../autograd/context.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import { countParameters } from "../nn/count-parameters.ts";
import { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { checkTypes } from "../util/check-types.ts";
import { joinPath, parentPath } from "../util/paths.ts";
import { buildModel, type Model } from "./build-model.ts";
import { gptConfigOf, type RunConfig, runConfigFromJSON } from "./config.ts";
import { loadModelFiles, type ModelFiles } from "./directory.ts";
import type { Files } from "./files.ts";
import { restore } from "./restore.ts";

/** A model that was read and checked; nothing is allocated on a backend yet. */
export interface SavedModel {
  readonly config: RunConfig;
  readonly files: ModelFiles;
}

/** A model that is ready to use, with its tokenizer and config. */
export interface LoadedModel<Kind extends Model = GPT> {
  readonly model: Kind;
  readonly tokenizer: Tokenizer;
  readonly config: RunConfig;
}

/**
 * Reads a trained model.
 *
 * @param path  a run directory, or one of its step directories
 * @param which "latest", "best" or the name of a step directory; by default the best
 * @throws CheckpointError when it does not hold a complete model that fits its config
 */
export function readSavedModel(path: string, which: string | undefined, given: Files): SavedModel {
  checkTypes("loadModel", { path }, { path: "string" });
  const files = loadModelFiles(path, which, given);
  const configFile = configFileOf(files);
  const config = runConfigFromJSON(files.config, configFile);
  checkCount(config, configFile, files);
  return { config, files };
}

/** @throws CheckpointError when the weights do not fit the config */
export function buildSavedModel(context: Context, { config, files }: SavedModel): LoadedModel<Model> {
  const { settings, tokenizer } = config;
  // The stored weights replace the initial ones at once.
  const model = buildModel(context, settings, tokenizer.vocabSize, Random.zeros());
  restore(model.parameters(), files.tensors, joinPath(files.folder, "model.safetensors"));
  return { model, tokenizer, config };
}

/** Loads a model of any kind, as `nopeek train` saves it. Throws as `readSavedModel` does. */
export function loadModel(
  context: Context,
  path: string,
  which: string | undefined,
  files: Files,
): LoadedModel<Model> {
  checkTypes("loadModel", { context }, { context: ["parameter"] });
  return buildSavedModel(context, readSavedModel(path, which, files));
}

/**
 * Loads a GPT.
 *
 * @throws CheckpointError as `readSavedModel` does
 * @throws ConfigError when the model is of another kind
 */
export function loadGPT(
  context: Context,
  path: string,
  which: string | undefined,
  files: Files,
): LoadedModel {
  checkTypes("loadGPT", { context }, { context: ["parameter"] });
  const saved = readSavedModel(path, which, files);
  const { model, ...rest } = buildSavedModel(context, saved);
  if (model instanceof GPT) return { ...rest, model };
  throw new ConfigError(
    `${path}: is a model of kind ${rest.config.settings.model}: a gpt is needed here; loadModel loads every kind`,
  );
}

function configFileOf({ folder }: ModelFiles): string {
  return joinPath(parentPath(folder), "config.json");
}

/** Checks the size before anything is allocated: an edited config may ask for any. */
function checkCount({ settings, tokenizer }: RunConfig, configFile: string, files: ModelFiles): void {
  const { tensors, folder } = files;
  const described = countParameters(gptConfigOf(settings, tokenizer.vocabSize), settings.model);
  const stored = [...tensors.values()].reduce((count, { values }) => count + values.length, 0);
  if (described === stored) return;
  throw new CheckpointError(
    `${configFile}: describes a model of ${described} parameters, and ${joinPath(folder, "model.safetensors")} holds ${stored}: one of the two was changed after saving`,
  );
}
