/**
 * Whether the validation part of a text is unlike the training part, so that the validation loss says little about the
 * text as a whole. This happens to sorted lists, and to books whose end is an index.
 *
 * A model of token pairs is fitted to most of the training part. It then predicts blocks of tokens that were left out
 * of it, from everywhere in the training part, and blocks of the validation part. Equal parts differ by noise only.
 */
import { log } from "../math.ts";
import { sourceOf, type TokenIds, type TokenSource } from "./token-source.ts";

/** The mean loss of a model of token pairs, in nats per token. */
export interface SplitDifference {
  readonly validationNats: number;
  /** On training text that the model was not fitted to. */
  readonly trainingNats: number;
}

/** One training block in this many is left out. */
const LEFT_OUT_EVERY = 10;
/** A block is shorter than this in a short text, so that there are enough of them to know how much they vary. */
const LONGEST_BLOCK = 256;
const SHORTEST_BLOCK = 16;
const FEWEST_BLOCKS = 8;
/** At most this many blocks of each part are read, evenly spaced. */
const MOST_BLOCKS = 4000;
/** More pairs share counters. */
const MOST_PAIRS = 1 << 22;
/** A difference must exceed this many standard errors, so that chance almost never causes a warning. */
const STANDARD_ERRORS = 3;
/** It must also be this share of the loss: parts of a book always differ a little. */
const LEAST_SHARE = 0.05;
/** The weight of a token's frequency in its probability after another token, in occurrences. */
const PRIOR_WEIGHT = 4;

/**
 * The losses of both parts if the validation part is harder to predict, and more so than chance explains; else null,
 * also for a text too short to know.
 *
 * @param boundary the index of the first id to validate with
 * @example
 * const difference = splitDifference(ids, boundary, tokenizer.vocabSize);
 */
export function splitDifference(ids: TokenIds, boundary: number, vocabSize: number): SplitDifference | null {
  const source = sourceOf(ids);
  const shorter = Math.min(ids.length - boundary, Math.floor(boundary / LEFT_OUT_EVERY));
  const size = Math.min(LONGEST_BLOCK, Math.floor(shorter / (2 * FEWEST_BLOCKS)));
  if (size < SHORTEST_BLOCK) return null;
  const model = new PairModel(vocabSize);
  const leftOut: Int32Array[] = [];
  let i = 0;
  for (const block of blocksOf(source, 0, boundary, size, MOST_BLOCKS * LEFT_OUT_EVERY)) {
    if (i++ % LEFT_OUT_EVERY === LEFT_OUT_EVERY >> 1) leftOut.push(block.slice());
    else model.add(block);
  }
  const expected = summarize(leftOut.map((block) => model.lossNats(block)));
  const validationNats: number[] = [];
  for (const block of blocksOf(source, boundary, ids.length, size, MOST_BLOCKS))
    validationNats.push(model.lossNats(block));
  const actual = summarize(validationNats);
  const difference = actual.mean - expected.mean;
  const standardError = Math.sqrt(actual.squaredError + expected.squaredError);
  if (difference <= STANDARD_ERRORS * standardError || difference <= LEAST_SHARE * expected.mean) return null;
  return { validationNats: actual.mean, trainingNats: expected.mean };
}

/**
 * Blocks of start … end−1, one after the other, or evenly spaced if there are too many. Each is in the same array, so
 * that the memory does not grow with the text.
 */
function* blocksOf(
  source: TokenSource,
  start: number,
  end: number,
  size: number,
  most: number,
): Generator<Int32Array> {
  const fitting = Math.floor((end - start) / size);
  const count = Math.min(fitting, most);
  const block = new Int32Array(size);
  for (let i = 0; i < count; i++) {
    source.read(start + Math.floor((i * fitting) / count) * size, block);
    yield block;
  }
}

/** p(b after a) = (n(a, b) + w·p(b)) / (n(a) + w), where p(b) is the frequency of b, and never 0. */
class PairModel {
  readonly #vocabSize: number;
  readonly #tokens: Float64Array;
  readonly #firsts: Float64Array;
  readonly #pairs: Float64Array;
  #total = 0;

  constructor(vocabSize: number) {
    this.#vocabSize = vocabSize;
    this.#tokens = new Float64Array(vocabSize);
    this.#firsts = new Float64Array(vocabSize);
    this.#pairs = new Float64Array(Math.min(MOST_PAIRS, vocabSize * vocabSize));
  }

  add(block: Int32Array): void {
    for (let i = 0; i < block.length; i++) {
      this.#tokens[block[i]] += 1;
      if (i === 0) continue;
      this.#firsts[block[i - 1]] += 1;
      this.#pairs[this.#pair(block[i - 1], block[i])] += 1;
    }
    this.#total += block.length;
  }

  /** The mean over all tokens but the first. */
  lossNats(block: Int32Array): number {
    let sum = 0;
    for (let i = 1; i < block.length; i++) {
      const [before, token] = [block[i - 1], block[i]];
      const frequency = (this.#tokens[token] + 1) / (this.#total + this.#vocabSize);
      const seen = this.#pairs[this.#pair(before, token)] + PRIOR_WEIGHT * frequency;
      sum -= log(seen / (this.#firsts[before] + PRIOR_WEIGHT));
    }
    return sum / (block.length - 1);
  }

  #pair(first: number, second: number): number {
    return (first * this.#vocabSize + second) % this.#pairs.length;
  }
}

/** The mean of some numbers, and the square of its standard error. */
function summarize(values: readonly number[]): { readonly mean: number; readonly squaredError: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return { mean, squaredError: squares / (values.length - 1) / values.length };
}
