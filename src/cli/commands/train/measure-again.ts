/** Like is compared with like: when a resume changes what is evaluated, the best weights are evaluated again. */
import { join } from "node:path";
import { CheckpointError } from "../../../errors.ts";
import type { Evaluation } from "../../../evaluate/loss.ts";
import { stepFolderName } from "../../../run/checkpoint.ts";
import type { RunDirectory } from "../../../run/directory.ts";
import { restore } from "../../../run/restore.ts";
import type { EarlyStopping } from "../../../train/early-stopping.ts";
import { describeLoss, formatCount, formatLoss } from "../../../util/format.ts";
import { stderrReporter } from "../../terminal/output.ts";
import type { TrainableKind } from "./kinds/kind.ts";

/**
 * Evaluates the best weights of a run on what the run evaluates from now on. The model holds them then.
 *
 * @returns null if there are none, or they cannot be read; then the next evaluation is the best
 */
export async function measureBestAgain(
  kind: TrainableKind,
  earlyStopping: EarlyStopping,
  directory: RunDirectory,
): Promise<(Evaluation & { readonly step: number }) | null> {
  const { best } = earlyStopping;
  if (best === null) return null;
  const reporter = stderrReporter();
  const name = stepFolderName(best.step);
  try {
    const { model } = directory.loadStep(name);
    restore(kind.model.parameters(), model, join(directory.path, name, "model.safetensors"));
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    earlyStopping.measuredAgain(null);
    reporter.note(
      `the best step, ${best.step}, cannot be evaluated again, so the next one counts as the best: ${error.message}`,
    );
    return null;
  }
  reporter.status(`evaluating step ${best.step} on ${kind.measured} …`);
  const { evaluation } = await kind.measure();
  reporter.status("");
  earlyStopping.measuredAgain(evaluation.lossNats);
  reporter.note(
    `the best step, ${formatCount(best.step)}, on ${kind.measured}: validation loss ${describeLoss(evaluation.lossNats, evaluation.bitsPerByte ?? null)} (was ${formatLoss(best.validationNats)} on other tokens)`,
  );
  return { step: best.step, ...evaluation };
}
