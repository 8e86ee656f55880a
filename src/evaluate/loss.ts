/**
 * Two ways to evaluate GPT:
 *
 *   estimateLoss    a quick estimate: the mean over random windows, with sampling noise
 *   evaluateSplit   the result to report: every token of a split predicted once, in disjoint windows; for a split that
 *                   is too long, a fixed set of windows spread over it
 *
 * The first tokens of each window are predicted from little context, in both.
 */

import type { Context } from "../autograd/context.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { TokenIds } from "../data/token-source.ts";
import { type Batch, stratifiedWindows, WindowLoader } from "../data/window-loader.ts";
import { type Job, type RunJobs, runHere } from "../distributed/jobs.ts";
import type { GPT } from "../nn/gpt.ts";
import { checkTypes } from "../util/check-types.ts";

export interface Evaluation {
  readonly method: "random windows" | "whole split" | "spread windows" | "held-out strings";
  /** Mean nats per predicted token. */
  readonly lossNats: number;
  /** The number of predicted tokens. */
  readonly tokens: number;
  /** The same loss in bits per UTF-8 byte of the text (see bits-per-byte.ts), where that is computed. */
  readonly bitsPerByte?: number;
}

/** Part of a corpus: ids[start … end). */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Windows per batch: enough rows for fast matrix products, few enough to save memory. */
export const BATCH_SIZE = 16;

/** The size of a quick estimate. */
export interface EstimateSize {
  readonly batches: number;
  readonly batchSize: number;
  readonly seed: number;
}

/**
 * The mean loss over `batches` batches of random windows. The same seed selects the same windows.
 *
 * @param runJobs runs the batches, here or on several processes
 * @example
 * const { lossNats } = await estimateLoss(model, validation, { batches: 10, batchSize: 12, seed: 1 });
 */
export async function estimateLoss(
  model: GPT,
  ids: TokenIds,
  size: EstimateSize,
  runJobs: RunJobs = runHere,
): Promise<Evaluation> {
  checkTypes("estimateLoss", { model, ids, size }, { model: ["loss"], ids: ["length"], size: "object" });
  const { batches } = size;
  checkTypes("estimateLoss", { batches }, { batches: "number" });
  return estimateOnRandomWindows(model, ids, size, nextTokenLoss(model), runJobs);
}

/**
 * The mean loss over ids[start … end), each predicted once, from at most `contextLength` ids before it.
 *
 * @param most the maximum number of predicted ids; a longer range is sampled with a fixed set of windows
 * @param runJobs runs the batches, here or on several processes
 * @example
 * const { train } = splitCorpus(ids);
 * const { lossNats } = await evaluateSplit(model, ids, { start: train.length, end: ids.length });
 */
export async function evaluateSplit(
  model: GPT,
  ids: TokenIds,
  range: Range,
  most = Number.POSITIVE_INFINITY,
  runJobs: RunJobs = runHere,
): Promise<Evaluation> {
  checkTypes(
    "evaluateSplit",
    { model, ids, range, most },
    { model: ["loss"], ids: ["length"], range: "object", most: "number" },
  );
  checkTypes("evaluateSplit", range, { start: "number", end: "number" });
  return evaluateRange(model, ids, range, most, nextTokenLoss(model), runJobs);
}

function nextTokenLoss(model: GPT): LossFunction {
  return ({ inputs, targets, batchSize }) => ({
    tokens: targets.length,
    loss: () => model.loss({ ids: inputs, batchSize }, targets),
  });
}

/** The number of tokens to predict in one batch, and the mean loss on them. `loss` must be called inside a scope. */
interface BatchLoss {
  readonly tokens: number;
  loss(): Tensor;
}

export type LossFunction = (batch: Batch) => BatchLoss;

/** Any model that reads windows of a text. */
type WindowModel = Pick<GPT, "context"> & { readonly config: Pick<GPT["config"], "contextLength"> };

/** A quick estimate of any loss. */
export async function estimateOnRandomWindows(
  { context, config }: WindowModel,
  ids: TokenIds,
  { batches, batchSize, seed }: EstimateSize,
  lossOf: LossFunction,
  runJobs: RunJobs,
): Promise<Evaluation> {
  const loader = new WindowLoader(ids, { contextLength: config.contextLength, batchSize, seed });
  const windows = Array.from({ length: batches }, (_, step) => loader.batch(step));
  return { method: "random windows", ...(await meanLoss(context, windows, lossOf, runJobs)) };
}

/** Any loss over a range of a corpus. */
export async function evaluateRange(
  { context, config }: WindowModel,
  ids: TokenIds,
  { start, end }: Range,
  most: number,
  lossOf: LossFunction,
  runJobs: RunJobs,
): Promise<Evaluation> {
  const size = { contextLength: config.contextLength, batchSize: BATCH_SIZE };
  const windows = stratifiedWindows(ids, start, end, size, most);
  const method = end - Math.max(start, 1) <= most ? "whole split" : "spread windows";
  return { method, ...(await meanLoss(context, windows, lossOf, runJobs)) };
}

/** Mean nats per token over all batches, weighted by their tokens. */
async function meanLoss(
  context: Context,
  batches: Iterable<Batch>,
  lossOf: LossFunction,
  runJobs: RunJobs,
): Promise<{ lossNats: number; tokens: number }> {
  let tokens = 0;
  function* jobs(): Generator<Job> {
    for (const batch of batches) {
      const batchLoss = lossOf(batch);
      tokens += batchLoss.tokens;
      yield async () => batchLoss.tokens * (await context.scope("no-grad", () => batchLoss.loss().item()));
    }
  }
  const nats = await runJobs(jobs());
  return { lossNats: sum(nats) / tokens, tokens };
}

/** In order: rounding depends on it. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
