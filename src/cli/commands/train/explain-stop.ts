/** Explains an early stop to a person: why the run stopped, and what may help. */
import type { Settings } from "../../../config/settings.ts";
import type { EarlyStopping } from "../../../train/early-stopping.ts";
import { formatLoss, plural } from "../../../util/format.ts";

/** How much more dropout to suggest, and the most that is worth suggesting. */
const MORE_DROPOUT = 0.1;
const MOST_DROPOUT = 0.5;

export function explainStop(earlyStopping: EarlyStopping, settings: Settings): string[] {
  const { best, latest, isOverfitting, evaluationsSinceBest } = earlyStopping;
  if (best === null || latest === null) return [];
  const nats = (value: number | null) => (value === null ? "unknown" : formatLoss(value));
  return [
    `stopped after step ${latest.step}: ${plural(evaluationsSinceBest, "evaluation")} without a lower validation loss (--patience ${settings.patience})`,
    `validation  lowest after step ${best.step}: ${nats(best.validationNats)}, saved as "best"; now ${nats(latest.validationNats)}`,
    `training    ${nats(best.trainingNats)} then, ${nats(latest.trainingNats)} now`,
    ...(isOverfitting ? overfittingAdvice(settings) : plateauAdvice(settings)),
  ];
}

function overfittingAdvice({ dropout, layers, dModel, heads }: Settings): string[] {
  const remedies = ["more text"];
  const smaller = [
    ...(layers > 1 ? [`--layers ${Math.ceil(layers / 2)}`] : []),
    ...(dModel > heads ? [`--d-model ${heads * Math.ceil(dModel / heads / 2)}`] : []),
  ];
  if (smaller.length > 0) remedies.unshift(`a smaller model (${smaller.join(" or ")})`);
  if (dropout < MOST_DROPOUT) {
    const more = Math.min(MOST_DROPOUT, Math.round(100 * (dropout + MORE_DROPOUT)) / 100);
    remedies.unshift(`more dropout (--dropout ${more})`);
  }
  return [
    "This is overfitting: the model is memorizing its training text and no longer improves on the validation set.",
    `What may help: ${remedies.join(", ")}.`,
  ];
}

function plateauAdvice({ learningRate, schedule }: Settings): string[] {
  const falling = schedule === "constant" ? ", or one that decays (--schedule linear)" : "";
  return [
    "This is not overfitting: the training loss no longer falls either.",
    `What may help: a lower learning rate (--learning-rate ${learningRate / 3})${falling}, or a larger model.`,
  ];
}
