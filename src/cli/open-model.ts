/** A trained model from disk, ready to use: what sample, eval and logits have in common. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Context } from "../autograd/context.ts";
import type { Backend } from "../backend/backend.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { restore } from "../train/restore.ts";
import {
  buildModel,
  gptConfigOf,
  type Model,
  type RunConfig,
  runConfigFromJSON,
} from "../train/run-config.ts";
import { loadModelFiles, type ModelFiles } from "../train/run-directory.ts";
import type { ModelKind } from "../train/settings.ts";
import { formatCount } from "./format.ts";
import { countParameters } from "./memory-check.ts";
import { type BackendFlags, openBackend } from "./open-backend.ts";

/** The model that comes with nopeek. */
export const SHIPPED_MODEL_PATH = fileURLToPath(new URL("../../checkpoints/tales", import.meta.url));

export interface OpenModel<Kind extends Model = GPT> {
  readonly model: Kind;
  readonly tokenizer: Tokenizer;
  readonly config: RunConfig;
  readonly backend: Backend;
}

/**
 * A GPT.
 *
 * @throws CheckpointError when the folder does not hold a whole and fitting model
 * @throws ConfigError when it holds one of another kind
 */
export async function openModel(path: string, flags: BackendFlags, threads: number): Promise<OpenModel> {
  const { model, ...rest } = await openAnyModel(path, flags, threads);
  if (model instanceof GPT) return { ...rest, model };
  throw new ConfigError(
    `${path}: is a model of kind ${rest.config.settings.model}, and only a gpt can do this; nopeek sample and nopeek eval take every kind`,
  );
}

/** What kind of model a folder holds. Throws as `openModel` does. */
export function kindOfModel(path: string): ModelKind {
  const { config, folder } = loadModelFiles(path);
  return runConfigFromJSON(config, join(dirname(folder), "config.json")).settings.model;
}

/** A model of any kind. Throws as `openModel` does. */
export async function openAnyModel(
  path: string,
  flags: BackendFlags,
  threads: number,
): Promise<OpenModel<Model>> {
  const files = loadModelFiles(path);
  const configFile = join(dirname(files.folder), "config.json");
  const config = runConfigFromJSON(files.config, configFile);
  const { settings, tokenizer } = config;
  const backend = await openBackend(flags, threads);
  checkCount(config, configFile, files);
  // The weights are replaced at once by the stored ones.
  const model = buildModel(new Context(backend), settings, tokenizer.vocabSize, Random.zeros());
  restore(model.parameters(), files.tensors, join(files.folder, "model.safetensors"));
  return { model, tokenizer, config, backend };
}

/** Before anything is allocated: a config that was edited may ask for any size. */
function checkCount({ settings, tokenizer }: RunConfig, configFile: string, files: ModelFiles): void {
  const { tensors, folder } = files;
  const described = countParameters(gptConfigOf(settings, tokenizer.vocabSize), settings.model);
  const stored = [...tensors.values()].reduce((count, { values }) => count + values.length, 0);
  if (described === stored) return;
  throw new CheckpointError(
    `${configFile}: describes a model of ${formatCount(described)} parameters, and ${join(folder, "model.safetensors")} holds ${formatCount(stored)}: one of the two is not as it was saved`,
  );
}
