/** Explains an early stop to a person: why the run stopped, with the losses. The verdict on the run says what helps. */
import type { Settings } from "../../../config/settings.ts";
import type { EarlyStopping } from "../../../train/early-stopping.ts";
import { describeLoss, formatLoss, plural } from "../../../util/format.ts";
import type { TrainableKind } from "./kinds/kind.ts";

export function explainStop(
  earlyStopping: EarlyStopping,
  { patience }: Settings,
  kind: Pick<TrainableKind, "bitsPerByte">,
): string[] {
  const { best, latest, evaluationsSinceBest } = earlyStopping;
  if (best === null || latest === null) return [];
  const nats = (value: number | null) => (value === null ? "unknown" : formatLoss(value));
  const validation = (value: number) => describeLoss(value, kind.bitsPerByte(value));
  return [
    `stopped after step ${latest.step}: ${plural(evaluationsSinceBest, "evaluation")} without a lower validation loss (--patience ${patience})`,
    `validation  lowest after step ${best.step}: ${validation(best.validationNats)}, saved as "best"; now ${validation(latest.validationNats)}`,
    `training    ${nats(best.trainingNats)} then, ${nats(latest.trainingNats)} now`,
  ];
}
