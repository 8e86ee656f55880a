/** How many tokens a step of a run shows to its model, by the settings alone. */
import type { Settings } from "./settings.ts";

export function tokensPerStep(settings: Settings): number {
  const { model, batchSize, contextLength, minLength, maxLength, gradAccumulation } = settings;
  // A string is as long as any other between the shortest and the longest, and its end is a token too.
  const each = model === "seq2seq" ? (minLength + maxLength) / 2 + 1 : contextLength;
  return batchSize * each * gradAccumulation;
}
