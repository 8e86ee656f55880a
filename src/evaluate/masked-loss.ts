/**
 * The loss of an encoder, on tokens that are hidden as in training. Which ones is drawn from a seed that never
 * changes: two models are asked the same questions.
 *
 *   estimateMaskedLoss  a quick look, over random windows
 *   wholeMaskedLoss     the figure to report: every token of a split stands in one window, and about 15 % are asked for
 */

import type { TokenIds } from "../data/token-source.ts";
import type { Encoder } from "../nn/encoder.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { Random } from "../random.ts";
import { maskTokens } from "../train/objectives/masked-token.ts";
import {
  askRandomWindows,
  askRange,
  type EstimateSize,
  type Evaluation,
  type LossSum,
  type Range,
} from "./loss.ts";

const MASKS_SEED = 1;

/** Mean loss over the hidden tokens of `batches` batches of random windows; the same windows for the same seed. */
export function estimateMaskedLoss(model: Encoder, ids: TokenIds, size: EstimateSize): Promise<Evaluation> {
  return askRandomWindows(model, ids, size, hiddenTokens(model));
}

/**
 * Loss over the hidden tokens of ids[start … end), in disjoint windows. (Id 0 of a corpus stands in none.)
 *
 * @param most as for `evaluateSplit`
 */
export function wholeMaskedLoss(
  model: Encoder,
  ids: TokenIds,
  range: Range,
  most = Number.POSITIVE_INFINITY,
): Promise<Evaluation> {
  return askRange(model, ids, range, most, hiddenTokens(model));
}

function hiddenTokens(model: Encoder): LossSum {
  const { vocabSize } = model.config;
  const random = Random.of(MASKS_SEED, "masks");
  return ({ targets: windows, batchSize }) => {
    // What GPT is asked for, in these batches each id once, is here the text itself.
    const { inputs, targets, chosen } = maskTokens(windows, { batchSize, vocabSize }, random);
    return {
      tokens: chosen,
      loss: () => crossEntropy(model.forward({ ids: inputs, batchSize }), targets),
    };
  };
}
