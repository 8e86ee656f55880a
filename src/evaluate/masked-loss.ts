/**
 * Two ways to evaluate an encoder, on tokens masked as in training. The mask is drawn from a fixed seed, so all models
 * predict the same tokens.
 *
 *   estimateMaskedLoss    a quick estimate, over random windows
 *   evaluateMaskedSplit   the result to report: windows cover every token of a split, and about 15% are predicted
 */
import type { TokenIds } from "../data/token-source.ts";
import { type RunJobs, runHere } from "../distributed/jobs.ts";
import type { Encoder } from "../nn/encoder.ts";
import { Random } from "../random.ts";
import { maskTokens } from "../train/objectives/masked-token.ts";
import {
  type EstimateSize,
  type Evaluation,
  estimateOnRandomWindows,
  evaluateRange,
  type LossFunction,
  type Range,
} from "./loss.ts";

const MASKS_SEED = 1;

/**
 * The mean loss over the masked tokens of `batches` batches of random windows. The same seed selects the same windows.
 */
export function estimateMaskedLoss(
  model: Encoder,
  ids: TokenIds,
  size: EstimateSize,
  runJobs: RunJobs = runHere,
): Promise<Evaluation> {
  return estimateOnRandomWindows(model, ids, size, maskedTokenLoss(model), runJobs);
}

/**
 * The mean loss over the masked tokens of ids[start … end), in disjoint windows. Id 0 of a corpus is in no window.
 *
 * @param most, runJobs as in `evaluateSplit`
 */
export function evaluateMaskedSplit(
  model: Encoder,
  ids: TokenIds,
  range: Range,
  most = Number.POSITIVE_INFINITY,
  runJobs: RunJobs = runHere,
): Promise<Evaluation> {
  return evaluateRange(model, ids, range, most, maskedTokenLoss(model), runJobs);
}

function maskedTokenLoss(model: Encoder): LossFunction {
  const { vocabSize } = model.config;
  const random = Random.of(MASKS_SEED, "masks");
  return ({ targets: windows, batchSize }) => {
    // GPT's targets contain each id of the range once, so they serve as the text here.
    const { inputs, targets, chosen } = maskTokens(windows, { batchSize, vocabSize }, random);
    return {
      tokens: chosen,
      loss: () => model.loss({ ids: inputs, batchSize }, targets),
    };
  };
}
