/** Turns a model from elsewhere into a run of nopeek. */
import { parseSettings, type Settings } from "../../config/settings.ts";
import { LONGEST_CONTEXT } from "../../config/settings-table.ts";
import { CheckpointError, ConfigError, NopeekError } from "../../errors.ts";
import type { GPTConfig } from "../../nn/config.ts";
import { hiddenSize } from "../../nn/layers/mlp.ts";
import { gptConfigOf, type RunConfig, runConfigToJSON } from "../../run/config.ts";
import { RunDirectory } from "../../run/directory.ts";
import { explainFailures, type Files } from "../../run/files.ts";
import { checkModelMemory } from "../../run/model-memory.ts";
import type { StoredTensor } from "../../run/safetensors.ts";
import { checkTypes } from "../../util/check-types.ts";
import { joinPath, lastPart } from "../../util/paths.ts";
import { printableJson, printableLine } from "../../util/printable.ts";
import { type TensorMap, type TensorSource, toOwn } from "../maps/tensor-map.ts";
import { ConfigFields } from "./config-fields.ts";
import { readFamily } from "./families.ts";
import { CONFIG, readJSON } from "./folder.ts";
import { ForeignTensors } from "./foreign-tensors.ts";
import { readTokenizer } from "./import-tokenizer.ts";
import { readSavedAgain } from "./saved-again.ts";

export interface ImportOptions {
  /** The longest sequence, if it is to be shorter than the model's, to save memory. */
  readonly contextLength?: number | undefined;
  /** Fields of config.json that nopeek does not know and that change no number. */
  readonly ignoreFields?: readonly string[] | undefined;
}

/** A model that was read and checked; nothing was written. */
export interface ImportedModel {
  readonly config: RunConfig;
  /** nopeek's weights, in the order of `GPT.parameters`. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What a user should know: what is shorter, or left out. */
  readonly remarks: readonly string[];
}

/**
 * Reads a model in the format of Hugging Face: config.json, safetensors, tokenizer.json. The folder is untrusted:
 * everything is checked before anything is returned.
 *
 * @throws CheckpointError, ConfigError or TokenError that says what is wrong, or what nopeek does not compute
 * @example
 * const model = importFolder("smollm2", files);
 * saveImported("checkpoints/smollm2", model, files);
 */
export function importFolder(folder: string, given: Files, options: ImportOptions = {}): ImportedModel {
  checkTypes("importFolder", { folder, options }, { folder: "string", options: "object" });
  const files = explainFailures(given);
  if (!files.exists(folder)) throw new CheckpointError(`${folder}: there is no such folder`);
  if (files.inspect(folder)?.type !== "folder")
    throw new CheckpointError(`${folder}: is not a folder; name the one that holds ${CONFIG}`);
  try {
    return read(folder, files, options);
  } catch (cause) {
    if (!(cause instanceof NopeekError) || cause.message.startsWith(folder)) throw cause;
    throw new CheckpointError(`${folder}: ${cause.message}`, { cause });
  }
}

/**
 * Starts a run with an imported model as its only step, 0.
 *
 * @throws CheckpointError when the directory is not empty or cannot be written
 */
export function saveImported(path: string, { config, tensors }: ImportedModel, files: Files): void {
  const run = RunDirectory.create(path, runConfigToJSON(config), { files });
  run.saveStep({ step: 0, model: tensors, optimizer: new Map(), state: {}, best: true });
}

function read(folder: string, files: Files, options: ImportOptions): ImportedModel {
  const json = readJSON(files, joinPath(folder, CONFIG));
  if (isRun(json)) return readRun(files, folder);
  const tensors = new ForeignTensors(files, folder);
  const fields = new ConfigFields(json, CONFIG);
  const family = readFamily(fields, tensors, options.ignoreFields);
  const settings = settingsOf(family.settings, options.contextLength);
  const config = gptConfigOf(settings, family.vocabSize);
  checkModelMemory(config);
  const { tokenizer, remarks } = readTokenizer(files, folder, family.vocabSize, json);
  const own = convert(tensors, config, family.map(config));
  const origin = {
    folder: printableLine(lastPart(folder)),
    modelType: family.type,
    numbers: tensors.types(),
  };
  return {
    config: {
      settings: parseSettings({
        ...settings,
        tokenizer: tokenizer.kind,
        ...(tokenizer.kind === "bpe" && { vocabSize: tokenizer.vocabSize }),
      }),
      tokenizer,
      corpus: null,
      origin,
    },
    tensors: own,
    remarks: [...family.remarks, ...contextRemarks(family.settings, options.contextLength), ...remarks],
  };
}

function isRun(json: unknown): boolean {
  return typeof json === "object" && json !== null && "format" in json && json.format === "nopeek run";
}

function readRun(files: Files, folder: string): ImportedModel {
  const { config, tensors, numbers, remarks } = readSavedAgain(files, folder);
  const origin = { folder: printableLine(lastPart(folder)), modelType: "nopeek", numbers };
  const settings = parseSettings({ ...config.settings, steps: 0 });
  return { config: { ...config, settings, origin }, tensors, remarks };
}

function settingsOf(
  given: Readonly<Record<string, string | number | boolean>>,
  wanted: number | undefined,
): Settings {
  const longest = Number(given.contextLength);
  if (wanted !== undefined && wanted > longest)
    throw new ConfigError(`\`contextLength\` may be at most ${longest}, the model's: got ${wanted}`);
  const { heads, dModel } = given;
  const plain = (name: string, usual: unknown) => (given[name] === usual ? { [name]: 0 } : {});
  const settings = {
    model: "gpt",
    steps: 0,
    ...given,
    contextLength: wanted ?? Math.min(longest, LONGEST_CONTEXT),
  };
  // 0 means the usual size: then the settings equal those of the same model trained here.
  const sizes = { ...plain("kvHeads", heads), ...plain("headSize", Number(dModel) / Number(heads)) };
  const parsed = parseSettings({ ...settings, ...sizes });
  const usualWidth = hiddenSize({ ...gptConfigOf(parsed, 1), mlpWidth: 0 });
  return parsed.mlpWidth === usualWidth ? parseSettings({ ...parsed, mlpWidth: 0 }) : parsed;
}

/** What to say of a model that has more positions than are supported. */
function contextRemarks(
  { contextLength }: Readonly<Record<string, string | number | boolean>>,
  wanted: number | undefined,
): string[] {
  if (wanted !== undefined || Number(contextLength) <= LONGEST_CONTEXT) return [];
  return [`the context is ${LONGEST_CONTEXT} tokens, the most that is supported, not ${contextLength}`];
}

/** Reads the weights one by one, and checks that none is left over. */
function convert(tensors: ForeignTensors, config: GPTConfig, map: TensorMap): Map<string, StoredTensor> {
  for (const { foreign, own, absent } of map) {
    const isVector = absent !== undefined && own.every((name) => !/Embedding$/.test(name));
    if (!isVector && tensors.find(foreign) === undefined)
      throw new CheckpointError(`the tensor ${printableJson(foreign)} is missing`);
  }
  // transformers replaces a separate head of a tied model by the embedding.
  if (config.tieHead) for (const name of ["lm_head.weight", "embed_out.weight"]) tensors.skip(name);
  const own = toOwn(map, config, positionsOf(tensors, config));
  const unused = tensors.unused();
  if (unused.length === 0) return own;
  const some = unused
    .slice(0, 5)
    .map((name) => printableJson(name))
    .join(", ");
  throw new CheckpointError(
    `holds ${unused.length} tensors that a model of this config.json does not have: ${some}${unused.length > 5 ? ", …" : ""}`,
  );
}

/** Position embeddings beyond a shortened context are left out. */
function positionsOf(tensors: ForeignTensors, { contextLength, dModel }: GPTConfig): TensorSource {
  return {
    get: (name) => {
      const tensor = tensors.get(name);
      if (tensor === undefined || !/(?:^|\.)wpe\.weight$/.test(name)) return tensor;
      const [rows, channels] = tensor.shape;
      if (channels !== dModel || rows < contextLength) return tensor;
      return { shape: [contextLength, dModel], values: tensor.values.slice(0, contextLength * dModel) };
    },
  };
}
