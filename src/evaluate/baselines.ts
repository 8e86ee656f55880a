/**
 * What simple models reach on the same text, so that a loss can be judged: the frequencies of tokens, and n-grams. Both
 * are counted on the training split and measured on the validation split.
 */
import { sourceOf, type TokenIds } from "../data/token-source.ts";
import { NgramModel } from "./ngram.ts";

export interface Baselines {
  /** The loss of the tokens' frequencies on the validation split, in nats per token. */
  readonly frequencyNats: number;
  /** The loss of n-grams of up to `order` tokens on the validation split. */
  readonly ngramNats: number;
  /** The same on parts of the training split that were not counted. */
  readonly unseenTrainingNats: number;
  readonly order: number;
  /** The number of training tokens that were counted. */
  readonly countedTokens: number;
}

const ORDER = 5;
/** Longer splits are sampled in blocks, so that counting takes about a second and 60 MB at most. */
const MOST_COUNTED = 500_000;
const MOST_MEASURED = 50_000;
const BLOCK = 500;
/** Of the blocks of the training split, one in this many is measured, not counted. */
const UNSEEN_EVERY = 10;

/**
 * Counts and measures the baselines of a text.
 *
 * @example
 * const { train, validation } = splitCorpus(ids);
 * const { ngramNats } = baselinesOf(train, validation, tokenizer.vocabSize);
 */
export function baselinesOf(train: TokenIds, validation: TokenIds, vocabSize: number): Baselines {
  const model = new NgramModel(ORDER, vocabSize);
  const unseen: Int32Array[] = [];
  let countedTokens = 0;
  for (const [i, block] of blocksOf(train, MOST_COUNTED).entries()) {
    if (i % UNSEEN_EVERY === UNSEEN_EVERY - 1) {
      unseen.push(block);
    } else {
      model.add(block);
      countedTokens += block.length;
    }
  }
  const measured = blocksOf(validation, MOST_MEASURED);
  const ngramNats = lossOn(model, measured, ORDER);
  return {
    frequencyNats: lossOn(model, measured, 1),
    ngramNats,
    // A text of fewer than ten blocks has none to spare.
    unseenTrainingNats: unseen.length === 0 ? ngramNats : lossOn(model, unseen, ORDER),
    order: ORDER,
    countedTokens,
  };
}

/** All tokens in blocks, or if there are more than `most`, blocks at equal distances. */
function blocksOf(ids: TokenIds, most: number): Int32Array[] {
  const source = sourceOf(ids);
  const all = Math.ceil(source.length / BLOCK);
  const count = Math.min(all, Math.floor(most / BLOCK));
  return Array.from({ length: count }, (_, i) => {
    const start = BLOCK * Math.floor((i * all) / count);
    const block = new Int32Array(Math.min(BLOCK, source.length - start));
    source.read(start, block);
    return block;
  });
}

/** Mean nats per token. */
function lossOn(model: NgramModel, blocks: readonly Int32Array[], order: number): number {
  const tokens = blocks.reduce((sum, block) => sum + block.length, 0);
  return blocks.reduce((sum, block) => sum + model.nats(block, order), 0) / tokens;
}
