/** Opens a trained model for sample, eval, logits, verify and lesson: it is read once, then built on a backend. */
import { Context } from "../../autograd/context.ts";
import type { Backend } from "../../backend/backend.ts";
import { ConfigError } from "../../errors.ts";
import { GPT } from "../../nn/gpt.ts";
import type { Model } from "../../run/config.ts";
import { buildSavedModel, type LoadedModel, readSavedModel, type SavedModel } from "../../run/saved-model.ts";
import { type BackendFlags, openBackend } from "./open-backend.ts";

export { SHIPPED_MODEL_PATH } from "../../run/saved-model.ts";

export interface OpenModel<Kind extends Model = GPT> extends LoadedModel<Kind> {
  readonly backend: Backend;
}

/**
 * Opens a GPT.
 *
 * @throws CheckpointError when the folder does not hold a complete model that fits its config
 * @throws ConfigError when it holds a model of another kind
 */
export async function openModel(path: string, flags: BackendFlags, threads: number): Promise<OpenModel> {
  return onlyGPT(await openAnyModel(path, flags, threads), path);
}

/** Opens a model of any kind. Throws as `openModel` does. */
export async function openAnyModel(
  path: string,
  flags: BackendFlags,
  threads: number,
): Promise<OpenModel<Model>> {
  return buildOn(readSavedModel(path), flags, threads);
}

/**
 * Builds a model that was read before on a backend.
 *
 * @throws CheckpointError when the weights do not fit the config
 */
export async function buildOn(
  saved: SavedModel,
  flags: BackendFlags,
  threads: number,
): Promise<OpenModel<Model>> {
  const backend = await openBackend(flags, threads);
  return { ...buildSavedModel(new Context(backend), saved), backend };
}

/** @throws ConfigError when the model is not a GPT */
export function onlyGPT({ model, ...rest }: OpenModel<Model>, path: string): OpenModel {
  if (model instanceof GPT) return { ...rest, model };
  throw new ConfigError(
    `${path}: is a model of kind ${rest.config.settings.model}, and this command needs a gpt; nopeek sample and nopeek eval work with every kind`,
  );
}
