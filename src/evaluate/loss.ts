/**
 * Two evaluations of GPT, which are not to be confused:
 *
 *   estimateLoss  a quick look: the mean over random windows, with the noise of a sample
 *   evaluateSplit     the figure to report: every token of a split predicted once, in disjoint windows; of a split that
 *                 is too long for that, windows spread over it, always the same ones
 *
 * In a window, early tokens are predicted from little context; both evaluations say which window they used.
 */
import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { TokenIds } from "../data/token-source.ts";
import { type Batch, stratifiedWindows, WindowLoader } from "../data/window-loader.ts";
import type { GPT } from "../nn/gpt.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";

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
export function estimateLoss(model: GPT, ids: TokenIds, size: EstimateSize): Promise<Evaluation> {
  return askRandomWindows(model, ids, size, nextTokens(model));
}

/**
 * Loss over ids[start … end), each predicted once, from at most `contextLength` ids before it.
 *
 * @param most of a range that predicts more than so many, only windows of about so many are measured
 */
export function evaluateSplit(
  model: GPT,
  ids: TokenIds,
  range: Range,
  most = Number.POSITIVE_INFINITY,
): Promise<Evaluation> {
  return askRange(model, ids, range, most, nextTokens(model));
}

function nextTokens(model: GPT): LossSum {
  return ({ inputs, targets, batchSize }) => ({
    tokens: targets.length,
    loss: () => crossEntropy(model.forward({ ids: inputs, batchSize }), targets),
  });
}

/** What a model is asked in one batch: how many tokens, and its mean loss on them, inside the open scope. */
interface Question {
  readonly tokens: number;
  loss(): Tensor;
}

export type LossSum = (batch: Batch) => Question;

/** A model of any kind that reads windows of a text. */
type Reader = Pick<GPT, "context"> & { readonly config: Pick<GPT["config"], "contextLength"> };

/** The quick look, of whatever is asked. */
export async function askRandomWindows(
  { context, config }: Reader,
  ids: TokenIds,
  { batches, batchSize, seed }: EstimateSize,
  ask: LossSum,
): Promise<Evaluation> {
  const loader = new WindowLoader(ids, { contextLength: config.contextLength, batchSize, seed });
  const windows = Array.from({ length: batches }, (_, step) => loader.batch(step));
  return { method: "random windows", ...(await meanLoss(context, windows, ask)) };
}

/** The figure to report, of whatever is asked. */
export async function askRange(
  { context, config }: Reader,
  ids: TokenIds,
  { start, end }: Range,
  most: number,
  ask: LossSum,
): Promise<Evaluation> {
  const size = { contextLength: config.contextLength, batchSize: BATCH_SIZE };
  const windows = stratifiedWindows(ids, start, end, size, most);
  const method = end - Math.max(start, 1) <= most ? "whole split" : "spread windows";
  return { method, ...(await meanLoss(context, windows, ask)) };
}

/** Mean nats per token over all batches, each weighed by its tokens. */
async function meanLoss(
  context: Context,
  batches: Iterable<Batch>,
  ask: LossSum,
): Promise<{ lossNats: number; tokens: number }> {
  let nats = 0;
  let tokens = 0;
  for (const batch of batches) {
    const question = ask(batch);
    nats += question.tokens * (await context.scope("no-grad", () => question.loss().item()));
    tokens += question.tokens;
  }
  return { lossNats: nats / tokens, tokens };
}
