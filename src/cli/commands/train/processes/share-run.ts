/** What process 0 sends the others of the run: its settings and tokenizer, its state, then what they do next. */

import type { Communicator } from "../../../../distributed/communicator.ts";
import { broadcastTensors } from "../../../../distributed/tensors.ts";
import { broadcastText } from "../../../../distributed/texts.ts";
import { type RunConfig, runConfigFromJSON, runConfigToJSON } from "../../../../run/config.ts";
import type { Trainer } from "../../../../train/trainer.ts";

export async function sendConfig(communicator: Communicator, config: RunConfig): Promise<void> {
  await broadcastText(communicator, JSON.stringify(runConfigToJSON(config)));
}

export async function receiveConfig(communicator: Communicator): Promise<RunConfig> {
  return runConfigFromJSON(JSON.parse(await broadcastText(communicator, null)), "the settings of process 0");
}

/** Sends weights, optimizer state and the rest, as a checkpoint has them. */
export async function sendState(communicator: Communicator, trainer: Trainer): Promise<void> {
  await trainer.evaluating(async () => {
    await broadcastText(communicator, JSON.stringify({ step: trainer.stepsDone, state: trainer.toJSON() }));
    await broadcastTensors(communicator, tensorsOf(trainer));
  });
}

/** Makes a new trainer one that continues with the state of process 0. */
export async function receiveState(communicator: Communicator, trainer: Trainer): Promise<void> {
  const { step, state } = JSON.parse(await broadcastText(communicator, null));
  await broadcastTensors(communicator, tensorsOf(trainer));
  trainer.resumeAt(step, state);
}

function tensorsOf(trainer: Trainer) {
  return [...Object.values(trainer.model.parameters()), ...Object.values(trainer.optimizerState())];
}
