/** A trained model from disk, ready to use: what sample, eval and logits have in common. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Context } from "../autograd/context.ts";
import type { Backend } from "../backend/backend.ts";
import { type BackendName, openBackend } from "../backend/open.ts";
import { CheckpointError } from "../errors.ts";
import type { GPTConfig } from "../nn/config.ts";
import { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { restore } from "../train/restore.ts";
import { gptConfigOf, type RunConfig, runConfigFromJSON } from "../train/run-config.ts";
import { loadModelFiles, type ModelFiles } from "../train/run-directory.ts";
import { formatCount } from "./format.ts";
import { countParameters } from "./memory-check.ts";

/** The model that comes with nopeek. */
export const SHIPPED_MODEL_PATH = fileURLToPath(new URL("../../checkpoints/tales", import.meta.url));

export interface OpenModel {
  readonly model: GPT;
  readonly tokenizer: Tokenizer;
  readonly config: RunConfig;
  readonly backend: Backend;
}

/** @throws CheckpointError when the folder does not hold a whole and fitting model */
export async function openModel(path: string, backendName: BackendName, threads: number): Promise<OpenModel> {
  const files = loadModelFiles(path);
  const configFile = join(dirname(files.folder), "config.json");
  const config = runConfigFromJSON(files.config, configFile);
  const backend = await openBackend(backendName, threads);
  const gptConfig = gptConfigOf(config.settings, config.tokenizer.vocabSize);
  checkCount(gptConfig, configFile, files);
  // The weights are drawn and then replaced, so which random ones they are does not matter.
  const model = new GPT(new Context(backend), gptConfig, Random.of(0));
  restore(model.parameters(), files.tensors, join(files.folder, "model.safetensors"));
  return { model, tokenizer: config.tokenizer, config, backend };
}

/** Before anything is allocated: a config that was edited may ask for any size. */
function checkCount(config: GPTConfig, configFile: string, { tensors, folder }: ModelFiles): void {
  const described = countParameters(config);
  const stored = [...tensors.values()].reduce((count, { values }) => count + values.length, 0);
  if (described === stored) return;
  throw new CheckpointError(
    `${configFile}: describes a model of ${formatCount(described)} parameters, and ${join(folder, "model.safetensors")} holds ${formatCount(stored)}: one of the two is not as it was saved`,
  );
}
