/** Refuses models that cannot fit, before anything is allocated. */
import { ConfigError } from "../errors.ts";
import type { GPTConfig } from "../nn/config.ts";
import { formatCount } from "./format.ts";

/** WebAssembly addresses 4 GiB; a little is left for what is not counted here. */
const LIMIT_BYTES = 3.9 * 2 ** 30;
const BYTES_PER_NUMBER = 4;

/** How many numbers a model of this configuration trains. */
export function countParameters(config: GPTConfig): number {
  const { vocabSize, contextLength, layers, dModel, bias, tieHead, bigram } = config;
  const block = 12 * dModel * dModel + 2 * dModel + (bias ? 11 * dModel : 0);
  const head = tieHead ? 0 : vocabSize * dModel;
  const pairs = bigram ? (vocabSize + 1) * vocabSize * dModel : 0;
  return (vocabSize + contextLength) * dModel + pairs + layers * block + dModel + (bias ? dModel : 0) + head;
}

/** Numbers that one training step keeps for its backward pass, about. */
function countActivations(config: GPTConfig, batchSize: number): number {
  const { contextLength, layers, heads, dModel, vocabSize, attention } = config;
  const scores = attention === "textbook" ? 4 * heads * contextLength : 0;
  const perPosition = layers * (20 * dModel + scores) + 4 * dModel + 2 * vocabSize;
  return batchSize * contextLength * perPosition;
}

/** @throws ConfigError when weights, gradients, moments and one step's activations exceed what can be addressed */
export function checkMemory(config: GPTConfig, batchSize: number): void {
  const parameters = countParameters(config);
  const bytes = BYTES_PER_NUMBER * (4 * parameters + countActivations(config, batchSize));
  if (bytes <= LIMIT_BYTES) return;
  const gib = bytes / 2 ** 30;
  const needed = gib < 100 ? gib.toPrecision(3) : formatCount(gib);
  throw new ConfigError(
    `this model has ${formatCount(parameters)} parameters and learns from batches of ${formatCount(batchSize)} windows of ${formatCount(config.contextLength)}: that takes about ${needed} GiB, and 3.9 GiB can be had; lower --d-model, --layers, --context-length or --batch-size`,
  );
}
