import type { Settings } from "./settings.ts";

/** The number of tokens the model trains on in one step, from the settings alone. For seq2seq it is an average. */
export function tokensPerStep(settings: Settings): number {
  const { model, batchSize, contextLength, minLength, maxLength, gradAccumulation } = settings;
  // Lengths of strings are uniform between the shortest and the longest, and the end marker is a token too.
  const each = model === "seq2seq" ? (minLength + maxLength) / 2 + 1 : contextLength;
  return batchSize * each * gradAccumulation;
}
