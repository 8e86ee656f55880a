/** Whether a model fits into memory, before anything is read or allocated. */
import { ConfigError } from "../errors.ts";
import { type GPTConfig, kvChannelsOf } from "../nn/config.ts";
import { countParameters } from "../nn/count-parameters.ts";
import { formatBytes, formatCount } from "../util/format.ts";

/** WebAssembly addresses 4 GiB; the rest is for memory that is not counted here. */
export const MEMORY_LIMIT_BYTES = 3.9 * 2 ** 30;
/** What a run holds in one file of weights: Node cannot read more into one array on every machine. */
export const WEIGHTS_LIMIT_BYTES = 2 ** 31 - 1;
const BYTES_PER_NUMBER = 4;

/**
 * Checks that the weights of a GPT fit into a run, and beside the keys and values of one sequence into memory.
 *
 * @throws ConfigError that says how much it needs, and which `contextLength` fits
 */
export function checkModelMemory(config: GPTConfig): void {
  const parameters = countParameters(config);
  const weights = BYTES_PER_NUMBER * parameters;
  if (weights > WEIGHTS_LIMIT_BYTES)
    throw new ConfigError(
      `this model has ${formatCount(parameters)} parameters, ${formatBytes(weights)} as float32: a run holds at most ${formatBytes(WEIGHTS_LIMIT_BYTES)}`,
    );
  const { contextLength, layers, vocabSize } = config;
  // Keys and values of every layer; they are copied when the cache slides.
  const position = BYTES_PER_NUMBER * 2 * layers * kvChannelsOf(config);
  const fixed = weights + BYTES_PER_NUMBER * vocabSize;
  if (fixed + contextLength * position <= MEMORY_LIMIT_BYTES) return;
  const fits = Math.floor((MEMORY_LIMIT_BYTES - fixed) / position);
  throw new ConfigError(
    `this model has ${formatCount(parameters)} parameters, ${formatBytes(weights)}, and needs ${formatBytes(contextLength * position)} for the keys and values of ${formatCount(contextLength)} positions; the limit of both is ${formatBytes(MEMORY_LIMIT_BYTES)}: set \`contextLength\` to ${formatCount(fits)} or less`,
  );
}
