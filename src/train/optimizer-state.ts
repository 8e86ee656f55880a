/** The optimizer's state as a checkpoint has it, when each of several processes keeps a part of it. */
import type { DataParallel } from "../distributed/data-parallel.ts";
import type { NamedTensors } from "../nn/parameters.ts";
import { type StateEntry, stateLayout } from "../optim/optimizer.ts";
import { storedForm } from "../run/restore.ts";
import type { StoredTensor } from "../run/safetensors.ts";
import { sizeOf } from "../shape.ts";
import type { Trainer } from "./trainer.ts";

type StoredTensors = ReadonlyMap<string, StoredTensor>;

/** The shape of every tensor of the state, wherever it is kept, in the order of a checkpoint. */
export function stateShapes(trainer: Trainer): Readonly<Record<string, Pick<StateEntry, "shape">>> {
  const layout = layoutOf(trainer);
  return { ...Object.fromEntries(layout.map((entry) => [entry.name, entry])), ...trainer.optimizerState() };
}

/**
 * The whole state. On several ranks, those that keep a part of it are asked for it. What this rank keeps is not copied:
 * use it before the next step.
 */
export async function collectState(trainer: Trainer, ranks: DataParallel | null): Promise<StoredTensors> {
  if (ranks === null || !ranks.isSharded) return storedForm(trainer.optimizerState());
  await ranks.ask("collectState");
  return moveState(trainer, ranks);
}

/** Sends rank 0 the part of the state that is kept here, whenever it asks. */
export function answerForState(trainer: Trainer, ranks: DataParallel): void {
  ranks.answer("collectState", () => moveState(trainer, ranks));
}

/**
 * Hands out a state that rank 0 has read: every rank fills its tensors. All ranks call it.
 *
 * @param stored null on the other ranks
 */
export async function spreadState(
  trainer: Trainer,
  ranks: DataParallel,
  stored: StoredTensors | null,
): Promise<void> {
  const held = trainer.optimizerState();
  for (const { name, shape } of layoutOf(trainer)) {
    const values = stored?.get(name)?.values ?? (name in held ? new Float32Array(sizeOf(shape)) : null);
    await ranks.copyFrom(0, sizeOf(shape), values);
    if (values !== null && name in held) held[name].context.backend.write(held[name].buffer, values);
  }
}

/** The tensors of the state that every rank keeps. */
export function heldByAll(trainer: Trainer, ranks: DataParallel): NamedTensors {
  const shared = new Set(ranks.isSharded ? layoutOf(trainer).map(({ name }) => name) : []);
  return Object.fromEntries(Object.entries(trainer.optimizerState()).filter(([name]) => !shared.has(name)));
}

/** Rank 0 receives one tensor after the other from the rank that keeps it, and returns all; the others return fewer. */
async function moveState(trainer: Trainer, ranks: DataParallel): Promise<StoredTensors> {
  const held = trainer.optimizerState();
  const stored = new Map<string, StoredTensor>();
  for (const { name, parameter, shape } of layoutOf(trainer)) {
    const owner = ranks.ownerOf(parameter);
    const own = name in held ? storedForm({ [name]: held[name] }) : null;
    const values = own?.get(name)?.values ?? (ranks.rank === 0 ? new Float32Array(sizeOf(shape)) : null);
    if (owner > 0) await ranks.copyFrom(owner, sizeOf(shape), values);
    if (ranks.rank === 0 && values !== null) stored.set(name, { shape, values });
  }
  if (ranks.rank > 0) return stored;
  return new Map([...stored, ...storedForm(heldByAll(trainer, ranks))]);
}

function layoutOf({ model, settings }: Trainer): StateEntry[] {
  return stateLayout(model.parameters(), settings);
}
