/** Splits the token ids of a corpus into a training split and a validation split. */

import { DataError } from "../errors.ts";
import { checkTypes } from "../util/check-types.ts";
import { sourceOf, type TokenIds, type TokenSource } from "./token-source.ts";

/** The two splits, as views of one corpus without copies. */
export interface CorpusSplit<Ids = Int32Array> {
  /** The first nine tenths. */
  readonly train: Ids;
  /** The last tenth, which the model never trains on. */
  readonly validation: Ids;
  /** The index where the validation split starts: floor(0.9·N), or the start of a document near it. */
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
 * @param where where to split instead, for example `documentBoundary`
 * @throws DataError if there are no ids
 * @example
 * const { train, validation } = splitCorpus(tokenizer.encode(text));
 */
export function splitCorpus<Ids>(ids: Divisible<Ids>, where?: number): CorpusSplit<Ids> {
  checkTypes("splitCorpus", { ids }, { ids: ["subarray", "length"] });
  const boundary = where ?? nineTenths(ids.length);
  if (ids.length === 0) throw new DataError("corpus: is empty; a corpus needs text");
  return { train: ids.subarray(0, boundary), validation: ids.subarray(boundary), boundary };
}

/** The first index of the last tenth of `length` ids. */
export function nineTenths(length: number): number {
  return Math.floor((length * 9) / 10);
}

/**
 * Where to split a corpus so that no document is cut: the first start of a document from nine tenths on, or if the last
 * document is longer than a tenth, its start.
 *
 * @param endOfText the id that ends a document; null if there is none
 * @example
 * splitCorpus(ids, documentBoundary(ids, tokenizer.endOfText));
 */
export function documentBoundary(ids: TokenIds, endOfText: number | null): number {
  const wanted = nineTenths(ids.length);
  if (endOfText === null || wanted === 0) return wanted;
  const source = sourceOf(ids);
  // The last id is an end too, but nothing follows it.
  for (let start = wanted - 1; start < ids.length - 1; start += BLOCK) {
    const block = readBlock(source, start, Math.min(start + BLOCK, ids.length - 1));
    const found = block.indexOf(endOfText);
    if (found >= 0) return start + found + 1;
  }
  for (let end = wanted; end > 0; end -= BLOCK) {
    const start = Math.max(0, end - BLOCK);
    const found = readBlock(source, start, end).lastIndexOf(endOfText);
    if (found >= 0) return start + found + 1;
  }
  return wanted;
}

const BLOCK = 1 << 16;

function readBlock(source: TokenSource, start: number, end: number): Int32Array {
  const block = new Int32Array(end - start);
  source.read(start, block);
  return block;
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
  if (train.length !== nineTenths(total))
    throw new DataError(
      `corpus: training has ${train.length} tokens and validation ${validation.length}, and each needs ${contextLength + 1} for contextLength ${contextLength}; use more text${shorter >= 2 ? `, or a contextLength of at most ${shorter - 1}` : ""}`,
    );
  throw new DataError(
    `corpus: ${total} tokens are too few for contextLength ${contextLength}: training has ${train.length}, ` +
      `validation ${validation.length}, and each needs ${contextLength + 1}; use a corpus of at least ` +
      `${10 * contextLength + 1} tokens${longest >= 1 ? `, or a contextLength of at most ${longest}` : ""}`,
  );
}
