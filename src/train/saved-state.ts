/** What a checkpoint holds of a run in training, and how a run resumes from it. */
import * as z from "zod/mini";
import type { Settings } from "../config/settings.ts";
import type { DataParallel } from "../distributed/data-parallel.ts";
import type { Checkpoint } from "../run/checkpoint.ts";
import type { RunDirectory } from "../run/directory.ts";
import { checkFits, fill, restore, storedForm } from "../run/restore.ts";
import { joinPath } from "../util/paths.ts";
import { EarlyStopping } from "./early-stopping.ts";
import { collectState, stateShapes } from "./optimizer-state.ts";
import type { Trainer } from "./trainer.ts";

/** A run in training, as far as its checkpoint depends on it. */
export interface RunInTraining {
  readonly trainer: Trainer;
  /** The processes that train together; null if this one trains alone. */
  readonly ranks: DataParallel | null;
  readonly earlyStopping: EarlyStopping;
  readonly directory: RunDirectory;
  /** What the bits depend on: "wasm". */
  readonly computedBy: string;
  /** Identifies the tokens that its evaluations cover. */
  readonly covers: string;
  /** Whether an evaluation that is due after the current step is still to be made. */
  readonly evaluationDue: boolean;
}

/** What a checkpoint says about its run besides its tensors. */
export interface SavedState {
  /** The losses of its evaluations. */
  readonly earlyStopping: EarlyStopping;
  /** null if unknown. */
  readonly computedBy: string | null;
  readonly covers: string | null;
  readonly evaluationDue: boolean;
}

const layout = z.object({
  computedBy: z.catch(z.nullable(z.string()), null),
  covers: z.catch(z.nullable(z.string()), null),
  evaluationDue: z.catch(z.boolean(), false),
});

/** Saves the state after the current step in the run's directory. Throws as `RunDirectory.saveStep` does. */
export async function saveRun(run: RunInTraining): Promise<void> {
  const { trainer, ranks, earlyStopping, directory, computedBy, covers, evaluationDue } = run;
  const due = evaluationDue ? { evaluationDue: true } : {};
  await trainer.evaluating(async () =>
    directory.saveStep({
      step: trainer.stepsDone,
      model: storedForm(trainer.model.parameters()),
      optimizer: await collectState(trainer, ranks),
      state: { ...earlyStopping.toJSON(), ...trainer.toJSON(), computedBy, covers, ...due },
      best: earlyStopping.best?.step === trainer.stepsDone,
    }),
  );
}

/** Reads what a checkpoint says about its run. @throws CheckpointError when it is damaged */
export function savedStateOf(checkpoint: Checkpoint | null): SavedState {
  const state = checkpoint?.state ?? {};
  return { ...z.parse(layout, state), earlyStopping: EarlyStopping.fromJSON(state) };
}

/**
 * Continues training after a checkpoint.
 *
 * @param path the run directory, for messages
 * @throws CheckpointError when the checkpoint does not fit the model
 */
export function resumeFrom(
  { name, step, model, optimizer, state }: Checkpoint & { readonly name: string },
  trainer: Trainer,
  path: string,
): void {
  restore(trainer.model.parameters(), model, joinPath(path, name, "model.safetensors"));
  checkFits(stateShapes(trainer), optimizer, joinPath(path, name, "optimizer.safetensors"));
  // Other processes may keep the rest.
  fill(trainer.optimizerState(), optimizer);
  trainer.resumeAt(step, state);
}

/** What is due after a step. */
export interface Due {
  readonly evaluates: boolean;
  /** Whether the evaluation covers the validation set, not an estimate of a few batches. */
  readonly measures: boolean;
  readonly saves: boolean;
}

/** What is due after `step` steps. With `patience`, evaluations are exact, because they decide when the run ends. */
export function dueAfter(
  step: number,
  {
    steps,
    evalInterval,
    checkpointInterval,
    patience,
  }: Pick<Settings, "steps" | "evalInterval" | "checkpointInterval" | "patience">,
): Due {
  const evaluates = step % evalInterval === 0;
  const saves = step === steps || step % checkpointInterval === 0;
  return { evaluates: evaluates || saves, measures: saves || (evaluates && patience > 0), saves };
}
