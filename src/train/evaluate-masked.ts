/**
 * The loss of an encoder, on tokens that are hidden as in training. Which ones is drawn from a seed that never
 * changes: two models are asked the same questions.
 *
 *   estimateMaskedLoss  a quick look, over random windows
 *   wholeMaskedLoss     the figure to report: every token of a split stands in one window, and about 15 % are asked for
 */
import type { Encoder } from "../nn/encoder.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { Random } from "../random.ts";
import { BATCH_SIZE, type Evaluation } from "./evaluate.ts";
import { type Batch, disjointWindows, type TokenIds, WindowLoader } from "./loader.ts";
import { maskTokens } from "./objectives/masked-token.ts";

const MASKS_SEED = 1;

/** Mean loss over the hidden tokens of `batches` batches of random windows; the same windows for the same seed. */
export async function estimateMaskedLoss(
  model: Encoder,
  ids: TokenIds,
  options: { readonly batches: number; readonly batchSize: number; readonly seed: number },
): Promise<Evaluation> {
  const { contextLength } = model.config;
  const loader = new WindowLoader(ids, { contextLength, batchSize: options.batchSize }, options.seed);
  const batches = Array.from({ length: options.batches }, (_, step) => loader.batch(step));
  return { method: "random windows", ...(await meanLoss(model, batches)) };
}

/** Loss over the hidden tokens of ids[start … end), in disjoint windows. (Id 0 of a corpus stands in none.) */
export async function wholeMaskedLoss(
  model: Encoder,
  ids: TokenIds,
  range: { readonly start: number; readonly end: number },
): Promise<Evaluation> {
  const { contextLength } = model.config;
  const batches = disjointWindows(ids, range.start, range.end, { contextLength, batchSize: BATCH_SIZE });
  return { method: "whole split", ...(await meanLoss(model, batches)) };
}

async function meanLoss(
  model: Encoder,
  batches: Iterable<Batch>,
): Promise<{ lossNats: number; tokens: number }> {
  const { vocabSize } = model.config;
  const random = Random.of(MASKS_SEED, "masks");
  let nats = 0;
  let tokens = 0;
  for (const { targets: windows, batchSize } of batches) {
    // What GPT is asked for, in these batches each id once, is here the text itself.
    const { inputs, targets, chosen } = maskTokens(windows, { batchSize, vocabSize }, random);
    const mean = await model.context.scope("forget", () =>
      crossEntropy(model.forward({ ids: inputs, batchSize }), targets).item(),
    );
    nats += mean * chosen;
    tokens += chosen;
  }
  return { lossNats: nats / tokens, tokens };
}
