/** Sends the model to evaluate from process 0 to the others, which need no access to its files. */
import { Context } from "../../../autograd/context.ts";
import type { Backend } from "../../../backend/backend.ts";
import type { Communicator } from "../../../distributed/communicator.ts";
import { broadcastTensors } from "../../../distributed/tensors.ts";
import { broadcastText } from "../../../distributed/texts.ts";
import { Random } from "../../../random.ts";
import { buildModel, type Model } from "../../../run/build-model.ts";
import type { RunConfig } from "../../../run/config.ts";
import { receiveConfig, sendConfig } from "../../shared/processes/send-config.ts";

interface Received {
  readonly config: RunConfig;
  readonly model: Model;
  /** SHA-256 of the text; "" for a model without one. */
  readonly sha256: string;
}

/** @param sha256 of the text; null for a model without one */
export async function sendModel(
  communicator: Communicator | null,
  config: RunConfig,
  model: Model,
  sha256: string | null,
): Promise<void> {
  if (communicator === null) return;
  await sendConfig(communicator, config);
  await broadcastText(communicator, sha256);
  await broadcastTensors(communicator, Object.values(model.parameters()));
}

export async function receiveModel(communicator: Communicator, backend: Backend): Promise<Received> {
  const config = await receiveConfig(communicator);
  const sha256 = await broadcastText(communicator, null);
  // The weights that arrive replace the initial ones.
  const { settings, tokenizer } = config;
  const model = buildModel(new Context(backend), settings, tokenizer.vocabSize, Random.zeros());
  await broadcastTensors(communicator, Object.values(model.parameters()));
  return { config, model, sha256 };
}
