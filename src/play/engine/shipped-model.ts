/** The model that ships with nopeek, fetched when a section first looks at it. */
import type { Context } from "../../autograd/context.ts";
import { CheckpointError } from "../../errors.ts";
import { MaskSwitchGPT } from "../../nn/mask-switch.ts";
import { Random } from "../../random.ts";
import { gptConfigOf, runConfigFromJSON } from "../../run/config.ts";
import { restore } from "../../run/restore.ts";
import { decodeSafetensors } from "../../run/safetensors.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { Fetch } from "./text.ts";

const FOLDER = "model";

/** @throws CheckpointError if the model cannot be fetched, or is damaged */
export async function loadShipped(
  context: Context,
  fetchFile: Fetch,
): Promise<{ model: MaskSwitchGPT; tokenizer: Tokenizer }> {
  const step = (await textOf(fetchFile, `${FOLDER}/best`)).trim();
  const configFile: unknown = JSON.parse(await textOf(fetchFile, `${FOLDER}/config.json`));
  if (typeof configFile !== "object" || configFile === null || !("config" in configFile))
    throw new CheckpointError(`${FOLDER}/config.json: is not the config of a run`);
  const { settings, tokenizer } = runConfigFromJSON(configFile.config, `${FOLDER}/config.json`);
  const file = `${FOLDER}/${step}/model.safetensors`;
  const bytes = new Uint8Array(await (await fetchFile(file)).arrayBuffer());
  const model = new MaskSwitchGPT(context, gptConfigOf(settings, tokenizer.vocabSize), Random.zeros());
  restore(model.parameters(), decodeSafetensors(bytes, file).tensors, file);
  return { model, tokenizer };
}

async function textOf(fetchFile: Fetch, path: string): Promise<string> {
  return (await fetchFile(path)).text();
}
