/** Why a run has stopped before its last step, and what to try: in lines for a person. */

import type { Settings } from "../../../config/settings.ts";
import type { EarlyStopping } from "../../../train/early-stopping.ts";
import { formatLoss, plural } from "../../../util/format.ts";

/** How much more dropout to try at a time, and where it hurts more than it helps. */
const MORE_DROPOUT = 0.1;
const MOST_DROPOUT = 0.5;

export function explainStop(patience: EarlyStopping, settings: Settings): string[] {
  const { best, latest, isOverfitting, evaluationsSinceBest } = patience;
  if (best === null || latest === null) return [];
  const nats = (value: number | null) => (value === null ? "unknown" : formatLoss(value));
  return [
    `stopped after step ${latest.step}: ${plural(evaluationsSinceBest, "evaluation")} without a lower validation loss (--patience ${settings.patience})`,
    `validation  lowest after step ${best.step}: ${nats(best.validationNats)}, kept as "best"; now ${nats(latest.validationNats)}`,
    `training    ${nats(best.trainingNats)} then, ${nats(latest.trainingNats)} now`,
    ...(isOverfitting ? againstOverfitting(settings) : againstStandstill(settings)),
  ];
}

function againstOverfitting({ dropout, layers, dModel, heads }: Settings): string[] {
  const tries = ["more text"];
  const smaller = [
    ...(layers > 1 ? [`--layers ${Math.ceil(layers / 2)}`] : []),
    ...(dModel > heads ? [`--d-model ${heads * Math.ceil(dModel / heads / 2)}`] : []),
  ];
  if (smaller.length > 0) tries.unshift(`a smaller model (${smaller.join(" or ")})`);
  if (dropout < MOST_DROPOUT) {
    const more = Math.min(MOST_DROPOUT, Math.round(100 * (dropout + MORE_DROPOUT)) / 100);
    tries.unshift(`more dropout (--dropout ${more})`);
  }
  return [
    "This is overfitting: the model goes on to learn its text by heart, which helps with no other.",
    `What helps against it: ${tries.join(", ")}.`,
  ];
}

function againstStandstill({ learningRate, schedule }: Settings): string[] {
  const falling = schedule === "constant" ? ", or one that falls (--schedule linear)" : "";
  return [
    "This is no overfitting: the training loss does not fall any more either.",
    `What may help: a lower learning rate (--learning-rate ${learningRate / 3})${falling}, or a larger model.`,
  ];
}
