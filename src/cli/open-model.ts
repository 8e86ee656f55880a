/** A trained model from disk, ready to use: what sample, eval and logits have in common. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Context } from "../autograd/context.ts";
import type { Backend } from "../backend/backend.ts";
import { type BackendName, openBackend } from "../backend/open.ts";
import { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { restore } from "../train/restore.ts";
import { gptConfigOf, type RunConfig, runConfigFromJSON } from "../train/run-config.ts";
import { loadModelFiles } from "../train/run-directory.ts";

/** The model that comes with nopeek. */
export const SHIPPED_MODEL_PATH = fileURLToPath(new URL("../../checkpoints/tales", import.meta.url));

export interface OpenModel {
  readonly model: GPT;
  readonly tokenizer: Tokenizer;
  readonly config: RunConfig;
  readonly backend: Backend;
}

/** @throws CheckpointError when the folder does not hold a whole and fitting model */
export async function openModel(path: string, backendName: BackendName): Promise<OpenModel> {
  const files = loadModelFiles(path);
  const config = runConfigFromJSON(files.config, join(path, "config.json"));
  const backend = await openBackend(backendName);
  const { settings, tokenizer } = config;
  // The weights are drawn and then replaced, so which random ones they are does not matter.
  const model = new GPT(new Context(backend), gptConfigOf(settings, tokenizer.vocabSize), Random.of(0));
  restore(model.parameters(), files.tensors, join(files.folder, "model.safetensors"));
  return { model, tokenizer, config, backend };
}
