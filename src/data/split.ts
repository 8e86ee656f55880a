/** A corpus: token ids to the part that is trained on and the part that is held out. */
import { DataError } from "../errors.ts";

/** Views of one corpus, without copies. */
export interface CorpusSplit<Ids = Int32Array> {
  /** The first nine tenths, which the model learns from. */
  readonly train: Ids;
  /** The last tenth, which it never learns from. */
  readonly validation: Ids;
  /** Where the validation part starts: floor(0.9·N). */
  readonly boundary: number;
}

/** Ids in order, of which a part can be had: an array, or a `TokenSource`. */
interface Divisible<Ids> {
  readonly length: number;
  subarray(start: number, end?: number): Ids;
}

/** @throws DataError when there are no ids */
export function splitCorpus<Ids>(ids: Divisible<Ids>): CorpusSplit<Ids> {
  if (ids.length === 0) throw new DataError("corpus: is empty; a corpus needs text");
  const boundary = Math.floor((ids.length * 9) / 10);
  return { train: ids.subarray(0, boundary), validation: ids.subarray(boundary), boundary };
}

/**
 * Checks that both parts hold a window: contextLength tokens, and one more to predict.
 *
 * @throws DataError when one is too short
 */
export function checkSplit(
  { train, validation }: CorpusSplit<{ readonly length: number }>,
  contextLength: number,
): void {
  const shorter = Math.min(train.length, validation.length);
  if (shorter >= contextLength + 1) return;
  const total = train.length + validation.length;
  // ceil(N/10) ≥ T+1 exactly when N ≥ 10·T+1; the training part is then longer.
  const longest = Math.floor((total - 1) / 10);
  throw new DataError(
    `corpus: ${total} tokens are too few for contextLength ${contextLength}: training has ${train.length}, ` +
      `validation ${validation.length}, and each needs ${contextLength + 1}; use a corpus of at least ` +
      `${10 * contextLength + 1} tokens${longest >= 1 ? `, or a contextLength of at most ${longest}` : ""}`,
  );
}
