/**
 * Two evaluations of GPT, which are not to be confused:
 *
 *   estimateLoss  a quick look: the mean over random windows, with the noise of a sample
 *   wholeLoss     the figure to report: every token of a split predicted once, in disjoint windows; of a split that
 *                 is too long for that, windows spread over it, always the same ones
 *
 * In a window, early tokens are predicted from little context; both evaluations say which window they used.
 */
import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { GPT } from "../nn/gpt.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { type Batch, spreadWindows, WindowLoader } from "./loader.ts";
import type { TokenIds } from "./token-source.ts";

export interface Evaluation {
  readonly method: "random windows" | "whole split" | "spread windows" | "held-out strings";
  /** Mean nats per predicted token. */
  readonly lossNats: number;
  /** How many tokens were predicted. */
  readonly tokens: number;
}

/** Part of a corpus, in ids. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Windows evaluated at once: enough rows for a fast product, few enough for little memory. */
export const BATCH_SIZE = 16;

/** How much a quick look takes in. */
export interface EstimateSize {
  readonly batches: number;
  readonly batchSize: number;
  readonly seed: number;
}

/** Mean loss over `batches` batches of random windows; the same windows for the same seed. */
export async function estimateLoss(model: GPT, ids: TokenIds, size: EstimateSize): Promise<Evaluation> {
  const batches = randomWindows(ids, model.config.contextLength, size);
  return { method: "random windows", ...(await meanLoss(model.context, batches, nextTokens(model))) };
}

/**
 * Loss over ids[start … end), each predicted once, from at most `contextLength` ids before it.
 *
 * @param most of a range that predicts more than so many, only windows of about so many are measured
 */
export async function wholeLoss(
  model: GPT,
  ids: TokenIds,
  range: Range,
  most = Number.POSITIVE_INFINITY,
): Promise<Evaluation> {
  const { contextLength } = model.config;
  const size = { contextLength, batchSize: BATCH_SIZE };
  const batches = spreadWindows(ids, range.start, range.end, size, most);
  return { method: methodFor(range, most), ...(await meanLoss(model.context, batches, nextTokens(model))) };
}

/** Which of the two it will be. */
export function methodFor({ start, end }: Range, most: number): "whole split" | "spread windows" {
  return end - Math.max(start, 1) <= most ? "whole split" : "spread windows";
}

/** The batches of an estimate. */
export function randomWindows(
  ids: TokenIds,
  contextLength: number,
  { batches, batchSize, seed }: EstimateSize,
): Batch[] {
  const loader = new WindowLoader(ids, { contextLength, batchSize, seed });
  return Array.from({ length: batches }, (_, step) => loader.batch(step));
}

/** What a model is asked in one batch: how many tokens, and its mean loss on them, inside the open scope. */
export interface Question {
  readonly tokens: number;
  loss(): Tensor;
}

/** Mean nats per token over all batches, each weighed by its tokens. */
export async function meanLoss(
  context: Context,
  batches: Iterable<Batch>,
  ask: (batch: Batch) => Question,
): Promise<{ lossNats: number; tokens: number }> {
  let nats = 0;
  let tokens = 0;
  for (const batch of batches) {
    const question = ask(batch);
    nats += question.tokens * (await context.scope("forget", () => question.loss().item()));
    tokens += question.tokens;
  }
  return { lossNats: nats / tokens, tokens };
}

function nextTokens(model: GPT): (batch: Batch) => Question {
  return ({ inputs, targets, batchSize }) => ({
    tokens: targets.length,
    loss: () => crossEntropy(model.forward({ ids: inputs, batchSize }), targets),
  });
}
