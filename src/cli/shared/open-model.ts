/** Opens a trained model for sample, eval, logits, verify and lesson: it is read once, then built on a backend. */
import { join } from "node:path";
import { Context } from "../../autograd/context.ts";
import type { Backend } from "../../backend/backend.ts";
import { CheckpointError, ConfigError } from "../../errors.ts";
import { GPT } from "../../nn/gpt.ts";
import type { Model } from "../../run/build-model.ts";
import { readSavedModel, SHIPPED_MODEL_PATH } from "../../run/on-disk.ts";
import { buildSavedModel, type LoadedModel, type SavedModel } from "../../run/saved-model.ts";
import type { Terminal } from "../terminal/output.ts";
import { describeModel, findModel, type ModelFlags } from "./find-model.ts";
import { type BackendFlags, openBackend } from "./open-backend.ts";

export interface OpenModel<Kind extends Model = GPT> extends LoadedModel<Kind> {
  readonly backend: Backend;
}

/** A model as it was found and read. */
export interface ReadModel extends SavedModel {
  readonly path: string;
}

/**
 * Finds and reads the model that a command is about, and prints which one and which step it is. With --json, the note
 * is left out if the model was named.
 *
 * @param word the positional argument
 * @throws CheckpointError when there is no complete model that fits its config, or its weights are not finite
 */
export function readModel(
  flags: ModelFlags & { readonly json?: boolean },
  word: string | undefined,
  terminal: Terminal,
): ReadModel {
  const found = findModel(flags, word);
  const saved = readSavedModel(found.path, found.which);
  checkFinite(saved);
  const isNamed = found.by === "name" && (flags.json === true || found.path === SHIPPED_MODEL_PATH);
  if (found.by !== "being bundled" && !isNamed) terminal.note(`model ${describeModel(found, saved)}`);
  return { ...saved, path: found.path };
}

/** Whatever is computed with weights that are not finite means nothing. */
function checkFinite({ files }: SavedModel): void {
  for (const [name, { values }] of files.tensors) {
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong < 0) continue;
    throw new CheckpointError(
      `${join(files.folder, "model.safetensors")}: "${name}" holds a value that is not finite (${values[wrong]}, at index ${wrong}): this model cannot be used; an earlier step may be whole: name one with \`step\``,
    );
  }
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
