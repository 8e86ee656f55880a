/** Rejects models that do not fit into memory, before anything is allocated. */
import type { ModelKind } from "../../config/choices.ts";
import { ConfigError } from "../../errors.ts";
import { type GPTConfig, headSizeOf, kvChannelsOf } from "../../nn/config.ts";
import { countParameters } from "../../nn/count-parameters.ts";
import { MOST_LOGITS } from "../../nn/layers/head.ts";
import { hiddenSize } from "../../nn/layers/mlp.ts";
import { formatCount } from "../../util/format.ts";

/** WebAssembly addresses 4 GiB; the rest is for memory that is not counted here. */
const LIMIT_BYTES = 3.9 * 2 ** 30;
const BYTES_PER_NUMBER = 4;

/** Approximate number of activations that a training step keeps for its backward pass. */
function countActivations(config: GPTConfig, batchSize: number, kind: ModelKind): number {
  const { contextLength, layers, heads, dModel, attention, activation, checkpointActivations } = config;
  const scores = attention === "textbook" ? 4 * heads * contextLength : 0;
  // A decoder with a source has a second attention in each block.
  const blocks = kind === "seq2seq" ? 2.5 * layers : layers;
  const hidden = (activation === "swiglu" ? 3 : 2) * hiddenSize(config);
  const attended = 2 * (heads * headSizeOf(config) + kvChannelsOf(config));
  const ofBlock = 8 * dModel + attended + hidden + scores;
  // The inputs of all blocks, and everything in the one that backward is at.
  const ofBlocks = checkpointActivations ? blocks * dModel + ofBlock : blocks * ofBlock;
  const perPosition = ofBlocks + 4 * dModel;
  const positions = batchSize * contextLength;
  return positions * perPosition + countLogits(config, positions);
}

/** The logits and their gradient; or those of a chunk, with the gradient of the head's weight. */
function countLogits({ vocabSize, dModel, logitCap }: GPTConfig, positions: number): number {
  const logits = positions * vocabSize;
  if (logits <= MOST_LOGITS) return 2 * logits;
  return (logitCap === 0 ? 1 : 3) * MOST_LOGITS + vocabSize * dModel;
}

/**
 * @param averages whether an average of the weights is kept
 * @param parts    number of batches in a step: their gradients are added in a tree
 * @param sharers  number of processes that share out the moments
 * @throws ConfigError when weights, gradients, moments and activations of a step exceed the limit
 */
export function checkMemory(
  config: GPTConfig,
  batchSize: number,
  kind: ModelKind = "gpt",
  averages = false,
  parts = 1,
  sharers = 1,
): void {
  const parameters = countParameters(config, kind);
  const partialSums = 31 - Math.clz32(parts);
  // The weights and their gradient, two moments, and the average.
  const copies = 2 + 2 / sharers + (averages ? 1 : 0) + partialSums;
  const bytes = BYTES_PER_NUMBER * (copies * parameters + countActivations(config, batchSize, kind));
  if (bytes <= LIMIT_BYTES) return;
  const gib = bytes / 2 ** 30;
  const needed = gib < 100 ? gib.toPrecision(3) : formatCount(gib);
  const [pieces, length] = kind === "seq2seq" ? ["strings", "--max-length"] : ["windows", "--context-length"];
  const instead = config.checkpointActivations ? "" : ", or turn on --checkpoint-activations";
  throw new ConfigError(
    `this model has ${formatCount(parameters)} parameters and trains on batches of ${formatCount(batchSize)} ${pieces} of ${formatCount(config.contextLength)}: it needs about ${needed} GiB; the limit is 3.9 GiB; lower --d-model, --layers, ${length} or --batch-size${instead}`,
  );
}

/** What the host keeps of each beam besides numbers. */
const BYTES_PER_BEAM = 1024;

/** @throws ConfigError when the beams exceed the limit: their caches, doubled while they branch, and their logits */
export function checkBeamMemory(config: GPTConfig, beams: number): void {
  const { contextLength, layers, vocabSize } = config;
  const numbers = 4 * (layers * contextLength * kvChannelsOf(config) + vocabSize);
  const bytes = (BYTES_PER_NUMBER * numbers + BYTES_PER_BEAM) * (beams + 1);
  if (bytes <= LIMIT_BYTES) return;
  const most = Math.floor(LIMIT_BYTES / (bytes / (beams + 1))) - 1;
  throw new ConfigError(
    `--beams may be at most ${formatCount(most)} for a model of this size, to fit into memory: got ${formatCount(beams)}`,
  );
}
