/** Sampling settings and their validation. */

import { SampleError } from "../errors.ts";
import { checkChoice, checkTypes } from "../util/check-types.ts";

export interface SampleSettings {
  /**
   * "sample" draws a token according to its probability. "greedy" chooses the most probable token after the two
   * repetition rules. It ignores temperature, topK, topP and minP, which never change the most probable token.
   */
  readonly strategy: "greedy" | "sample";
  /** Divides the logits: 1 keeps the model's distribution, and 0 makes "sample" the same as "greedy". */
  readonly temperature: number;
  /** Draw only from the k most probable tokens; null for all. */
  readonly topK: number | null;
  /** Draw only from the smallest set of most probable tokens whose total probability reaches this; null for all. */
  readonly topP: number | null;
  /** Draw only from tokens at least this many times as probable as the most probable one; null for all. */
  readonly minP?: number | null;
  /** Above 1, makes tokens that already occurred less likely; null turns it off. */
  readonly repetitionPenalty?: number | null;
  /** Forbid repeating any run of this many tokens; null turns it off. */
  readonly noRepeatNgram?: number | null;
}

/** @throws SampleError for the first setting out of range */
export function checkSampleSettings(settings: SampleSettings): void {
  checkTypes("sample", { settings }, { settings: "object" });
  const { strategy, temperature, topK, topP, minP } = settings;
  checkChoice("strategy", strategy, ["sample", "greedy"]);
  if (!Number.isFinite(temperature) || temperature < 0) {
    throw new SampleError(
      `\`temperature\` must be a finite number ≥ 0: got ${temperature}; 1 keeps the model's probabilities, 0 is greedy`,
    );
  }
  checkCount("topK", topK, "keep every token");
  if (isSet(topP) && !(topP > 0 && topP <= 1)) {
    throw new SampleError(
      `\`topP\` must be above 0 and at most 1: got ${topP}; leave it out to keep every token`,
    );
  }
  if (isSet(minP) && !(minP >= 0 && minP <= 1)) {
    throw new SampleError(
      `\`minP\` must be at least 0 and at most 1: got ${minP}; leave it out to keep every token`,
    );
  }
  checkRepetitionSettings(settings);
}

export type RepetitionSettings = Pick<SampleSettings, "repetitionPenalty" | "noRepeatNgram">;

/** @throws SampleError for the first setting out of range */
export function checkRepetitionSettings(settings: RepetitionSettings): void {
  const { repetitionPenalty, noRepeatNgram } = settings;
  if (isSet(repetitionPenalty) && !(repetitionPenalty > 0 && Number.isFinite(repetitionPenalty))) {
    throw new SampleError(
      `\`repetitionPenalty\` must be a finite number above 0: got ${repetitionPenalty}; 1 changes nothing, above 1 makes repetition less likely`,
    );
  }
  checkCount("noRepeatNgram", noRepeatNgram, "allow repetition");
}

/** Whether an optional setting has a value. */
export function isSet(value: number | null | undefined): value is number {
  return value !== null && value !== undefined;
}

function checkCount(setting: string, count: number | null | undefined, off: string): void {
  if (!isSet(count) || (Number.isInteger(count) && count >= 1)) return;
  throw new SampleError(`\`${setting}\` must be a whole number ≥ 1: got ${count}; leave it out to ${off}`);
}
