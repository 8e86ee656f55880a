/** A trained model from disk, ready to use: what sample, eval and logits have in common. */
import { Context } from "../../autograd/context.ts";
import type { Backend } from "../../backend/backend.ts";
import type { ModelKind } from "../../config/settings.ts";
import { ConfigError } from "../../errors.ts";
import { GPT } from "../../nn/gpt.ts";
import type { Model } from "../../run/config.ts";
import { buildSavedModel, type LoadedModel, readSavedModel } from "../../run/saved-model.ts";
import { type BackendFlags, openBackend } from "./open-backend.ts";

export { SHIPPED_MODEL_PATH } from "../../run/saved-model.ts";

export interface OpenModel<Kind extends Model = GPT> extends LoadedModel<Kind> {
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
  return readSavedModel(path).config.settings.model;
}

/** A model of any kind. Throws as `openModel` does. */
export async function openAnyModel(
  path: string,
  flags: BackendFlags,
  threads: number,
): Promise<OpenModel<Model>> {
  const saved = readSavedModel(path);
  const backend = await openBackend(flags, threads);
  return { ...buildSavedModel(new Context(backend), saved), backend };
}
