/** Sends the settings and the tokenizer of a run from process 0 to the others. */
import type { Communicator } from "../../../distributed/communicator.ts";
import { broadcastText } from "../../../distributed/texts.ts";
import { type RunConfig, runConfigFromJSON, runConfigToJSON } from "../../../run/config.ts";

export async function sendConfig(communicator: Communicator, config: RunConfig): Promise<void> {
  await broadcastText(communicator, JSON.stringify(runConfigToJSON(config)));
}

export async function receiveConfig(communicator: Communicator): Promise<RunConfig> {
  return runConfigFromJSON(JSON.parse(await broadcastText(communicator, null)), "the settings of process 0");
}
