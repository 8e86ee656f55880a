/**
 * Two evaluations of GPT, which are not to be confused:
 *
 *   estimateLoss  a quick look: the mean over random windows, with the noise of a sample
 *   wholeLoss     the figure to report: every token of a split predicted once, in disjoint windows
 *
 * In a window, early tokens are predicted from little context; both evaluations say which window they used.
 */
import type { GPT } from "../nn/gpt.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { type Batch, disjointWindows, type TokenIds, WindowLoader } from "./loader.ts";

export interface Evaluation {
  readonly method: "random windows" | "whole split" | "held-out strings";
  /** Mean nats per predicted token. */
  readonly lossNats: number;
  /** How many tokens were predicted. */
  readonly tokens: number;
}

/** Windows evaluated at once: enough rows for a fast product, few enough for little memory. */
export const BATCH_SIZE = 16;

/** Mean loss over `batches` batches of random windows; the same windows for the same seed. */
export async function estimateLoss(
  model: GPT,
  ids: TokenIds,
  options: { readonly batches: number; readonly batchSize: number; readonly seed: number },
): Promise<Evaluation> {
  const { contextLength } = model.config;
  const loader = new WindowLoader(ids, { contextLength, batchSize: options.batchSize }, options.seed);
  const batches = Array.from({ length: options.batches }, (_, step) => loader.batch(step));
  return { method: "random windows", ...(await meanLoss(model, batches)) };
}

/** Loss over ids[start … end), each predicted once, from at most `contextLength` ids before it. */
export async function wholeLoss(
  model: GPT,
  ids: TokenIds,
  range: { readonly start: number; readonly end: number },
): Promise<Evaluation> {
  const { contextLength } = model.config;
  const batches = disjointWindows(ids, range.start, range.end, { contextLength, batchSize: BATCH_SIZE });
  return { method: "whole split", ...(await meanLoss(model, batches)) };
}

async function meanLoss(model: GPT, batches: Iterable<Batch>): Promise<{ lossNats: number; tokens: number }> {
  let nats = 0;
  let tokens = 0;
  for (const { inputs, targets, batchSize } of batches) {
    const mean = await model.context.scope("forget", () =>
      crossEntropy(model.forward({ ids: inputs, batchSize }), targets).item(),
    );
    nats += mean * targets.length;
    tokens += targets.length;
  }
  return { lossNats: nats / tokens, tokens };
}
