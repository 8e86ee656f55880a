/** What can be set about choosing a token, and which values make sense. */
import { SampleError } from "../errors.ts";

export interface SampleSettings {
  /**
   * "sample" draws a token by its probability. "greedy" takes the most probable one, after the two rules against
   * repetition; temperature, topK, topP and minP keep the most probable one in any case, so it does not heed them.
   */
  readonly strategy: "greedy" | "sample";
  /** Divides the logits: 1 leaves the model's own probabilities, and at 0 "sample" is "greedy". */
  readonly temperature: number;
  /** Only the k most probable tokens can be drawn; null for all. */
  readonly topK: number | null;
  /** Only the most probable tokens can be drawn, as few as reach this probability; null for all. */
  readonly topP: number | null;
  /** Only tokens that are at least this share as probable as the most probable can be drawn; null for all. */
  readonly minP?: number | null;
  /** Makes tokens that have been seen less likely when above 1; null leaves them. */
  readonly repetitionPenalty?: number | null;
  /** No run of this many tokens comes twice; null lets them. */
  readonly noRepeatNgram?: number | null;
}

/** @throws SampleError for the first setting that is out of range */
export function checkSampleSettings(settings: SampleSettings): void {
  const { temperature, topK, topP, minP } = settings;
  if (!Number.isFinite(temperature) || temperature < 0) {
    throw new SampleError(
      `\`temperature\` must be a finite number ≥ 0: got ${temperature}; 1 leaves the model's probabilities, 0 is greedy`,
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

/** @throws SampleError for the first setting that is out of range */
export function checkRepetitionSettings(settings: RepetitionSettings): void {
  const { repetitionPenalty, noRepeatNgram } = settings;
  if (isSet(repetitionPenalty) && !(repetitionPenalty > 0 && Number.isFinite(repetitionPenalty))) {
    throw new SampleError(
      `\`repetitionPenalty\` must be a finite number above 0: got ${repetitionPenalty}; 1 changes nothing, above 1 makes repetition less likely`,
    );
  }
  checkCount("noRepeatNgram", noRepeatNgram, "let tokens repeat");
}

/** Whether an optional setting has a value. */
export function isSet(value: number | null | undefined): value is number {
  return value !== null && value !== undefined;
}

function checkCount(setting: string, count: number | null | undefined, off: string): void {
  if (!isSet(count) || (Number.isInteger(count) && count >= 1)) return;
  throw new SampleError(`\`${setting}\` must be a whole number ≥ 1: got ${count}; leave it out to ${off}`);
}
