/** Splits the token ids of a corpus into a training split and a validation split. */

import { DataError } from "../errors.ts";
import { checkTypes } from "../util/check-types.ts";

/** The two splits, as views of one corpus without copies. */
export interface CorpusSplit<Ids = Int32Array> {
  /** The first nine tenths. */
  readonly train: Ids;
  /** The last tenth, which the model never trains on. */
  readonly validation: Ids;
  /** The index where the validation split starts: floor(0.9·N). */
  readonly boundary: number;
}

/** A sequence of ids with views of its parts: an array or a `TokenSource`. */
interface Divisible<Ids> {
  readonly length: number;
  subarray(start: number, end?: number): Ids;
}

/**
 * Splits a corpus: the first 90% for training, the rest for validation.
 *
 * @throws DataError if there are no ids
 * @example
 * const { train, validation } = splitCorpus(tokenizer.encode(text));
 */
export function splitCorpus<Ids>(ids: Divisible<Ids>): CorpusSplit<Ids> {
  checkTypes("splitCorpus", { ids }, { ids: ["subarray", "length"] });
  if (ids.length === 0) throw new DataError("corpus: is empty; a corpus needs text");
  const boundary = Math.floor((ids.length * 9) / 10);
  return { train: ids.subarray(0, boundary), validation: ids.subarray(boundary), boundary };
}

/**
 * Checks that both splits have room for a window: contextLength tokens, and one more to predict.
 *
 * @throws DataError if one is too short
 */
export function checkSplit(
  { train, validation }: CorpusSplit<{ readonly length: number }>,
  contextLength: number,
): void {
  const shorter = Math.min(train.length, validation.length);
  if (shorter >= contextLength + 1) return;
  const total = train.length + validation.length;
  // ceil(N/10) ≥ T+1 exactly if N ≥ 10·T+1, and then the training split is longer than the validation split.
  const longest = Math.floor((total - 1) / 10);
  throw new DataError(
    `corpus: ${total} tokens are too few for contextLength ${contextLength}: training has ${train.length}, ` +
      `validation ${validation.length}, and each needs ${contextLength + 1}; use a corpus of at least ` +
      `${10 * contextLength + 1} tokens${longest >= 1 ? `, or a contextLength of at most ${longest}` : ""}`,
  );
}
