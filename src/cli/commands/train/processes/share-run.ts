/** Sends the state of a run from process 0 to the others. */

import type { Tensor } from "../../../../autograd/tensor.ts";
import type { Communicator } from "../../../../distributed/communicator.ts";
import type { DataParallel } from "../../../../distributed/data-parallel.ts";
import { broadcastTensors } from "../../../../distributed/tensors.ts";
import { broadcastText } from "../../../../distributed/texts.ts";
import type { StoredTensors } from "../../../../run/checkpoint.ts";
import { heldByAll, spreadState } from "../../../../train/optimizer-state.ts";
import type { Trainer } from "../../../../train/trainer.ts";

/**
 * Sends weights, optimizer state and the rest, as a checkpoint has them.
 *
 * @param stored the optimizer's state in the checkpoint that is resumed; null if there is none
 */
export async function sendState(
  communicator: Communicator,
  ranks: DataParallel,
  trainer: Trainer,
  stored: StoredTensors | null,
): Promise<void> {
  await trainer.evaluating(async () => {
    const [step, state] = [trainer.stepsDone, trainer.toJSON()];
    await broadcastText(communicator, JSON.stringify({ step, state, spreads: stored !== null }));
    await broadcastTensors(communicator, sameOnAll(trainer, ranks));
    if (stored !== null && ranks.isSharded) await spreadState(trainer, ranks, stored);
  });
}

/** Makes a new trainer one that continues with the state of process 0. */
export async function receiveState(
  communicator: Communicator,
  ranks: DataParallel,
  trainer: Trainer,
): Promise<void> {
  const { step, state, spreads } = JSON.parse(await broadcastText(communicator, null));
  await broadcastTensors(communicator, sameOnAll(trainer, ranks));
  if (spreads && ranks.isSharded) await spreadState(trainer, ranks, null);
  trainer.resumeAt(step, state);
}

function sameOnAll(trainer: Trainer, ranks: DataParallel) {
  return [trainer.model.parameters(), heldByAll(trainer, ranks)].flatMap(Object.values<Tensor>);
}
