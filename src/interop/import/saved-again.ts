/** A run of nopeek whose weights another program has saved again, such as safetensors in Python. */
import { CheckpointError, ConfigError } from "../../errors.ts";
import { hasSavedModel } from "../../run/checkpoint.ts";
import { gptConfigOf, type RunConfig, runConfigFromJSON } from "../../run/config.ts";
import type { Files } from "../../run/files.ts";
import { readConfig, readPointer } from "../../run/layout.ts";
import type { StoredTensor } from "../../run/safetensors.ts";
import { currentName } from "../../run/tensor-names.ts";
import { formatShape } from "../../shape.ts";
import { joinPath } from "../../util/paths.ts";
import { printableJson } from "../../util/printable.ts";
import { parameterShapes } from "../parameter-shapes.ts";
import { ForeignTensors } from "./foreign-tensors.ts";

/** What was read of such a run. */
export interface SavedAgain {
  readonly config: RunConfig;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The types of the numbers in the file. */
  readonly numbers: readonly string[];
  /** What a user should know: the file is not the one that the run saved. */
  readonly remarks: readonly string[];
}

/**
 * Reads the weights of a run although their checksum is not the run's. Names and shapes are checked instead, and that
 * all numbers are finite.
 *
 * @throws CheckpointError if the run is whole, so that there is nothing to import, or if its weights do not fit
 */
export function readSavedAgain(files: Files, run: string): SavedAgain {
  const name = readPointer(files, run, "best") ?? readPointer(files, run, "latest");
  if (name === null) throw new CheckpointError(`${run}: is a run of nopeek without a saved step`);
  const folder = joinPath(run, name);
  if (hasSavedModel(files, folder))
    throw new CheckpointError(`${run}: is a run of nopeek already; name it where a command asks for a model`);
  const config = runConfigFromJSON(readConfig(files, run), joinPath(run, "config.json"));
  const { settings, tokenizer } = config;
  if (settings.model !== "gpt")
    throw new ConfigError(
      `only the weights of a gpt can be imported after another program saved them: got ${settings.model}`,
    );
  const source = new ForeignTensors(files, folder);
  const stored = new Map(source.names().map((name) => [currentName(name), name]));
  const tensors = new Map<string, StoredTensor>();
  for (const [parameter, shape] of parameterShapes(gptConfigOf(settings, tokenizer.vocabSize))) {
    const tensor = source.get(stored.get(parameter) ?? parameter);
    if (tensor === undefined || formatShape(tensor.shape) !== formatShape(shape))
      throw new CheckpointError(
        `${folder}: should hold ${printableJson(parameter)} of shape ${formatShape(shape)}: ${tensor === undefined ? "it is missing" : `got ${formatShape(tensor.shape)}`}`,
      );
    tensors.set(parameter, tensor);
  }
  const [unused] = source.unused();
  if (unused !== undefined)
    throw new CheckpointError(
      `${folder}: holds ${printableJson(unused)}, which the model of this run does not have`,
    );
  const remark = `${name}/model.safetensors is not the file that the run saved: its SHA-256 differs. Its names and shapes fit, and its numbers are finite; whether they are the run's cannot be known`;
  return { config, tensors, numbers: source.types(), remarks: [remark] };
}
