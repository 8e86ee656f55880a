/**
 * Learns a byte-pair encoding (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909; on bytes as in GPT-2).
 *
 * Each word is a list of tokens, at first its bytes. The pair of neighboring tokens that is most frequent in the text
 * becomes a new token, everywhere; then the next pair; and so on. With these words and counts:
 *
 *   low 5   lower 2   newest 6
 *
 * "we" occurs 8 times: l-o-we-r, n-e-we-s-t. Then "lo" occurs 7 times. And so on.
 *
 * Only words with the merged pair change, and in them only the pairs next to it, so counts are updated and never counted
 * again. Of equally frequent pairs, the one with the smaller first id comes first, then the one with the smaller second.
 */
import { ArgumentError, TokenError } from "../../errors.ts";
import { checkTypes, describeValue } from "../../util/check-types.ts";
import type { SpecialTokens } from "../tokenizer.ts";
import { concatenate } from "../utf8.ts";
import { BpeTokenizer } from "./bpe-tokenizer.ts";
import {
  BYTES,
  bytesAsTokens,
  bytesKey,
  LARGEST_VOCABULARY,
  LONGEST_TOKEN,
  type Merge,
  pairKey,
} from "./merges.ts";
import { type Pair, PairQueue } from "./pair-queue.ts";
import { WordCounts } from "./word-counts.ts";

const DEFAULT_SIZE = 512;

export interface BpeOptions extends SpecialTokens {
  /** The bytes, the merges, and the token that ends a document if there is one. Default: 512. */
  readonly vocabSize?: number;
}

/**
 * Learns a tokenizer from a text. Its vocabulary is smaller than asked for if no pair occurs twice any more.
 *
 * @param text a text, or its pieces in order, of whole characters
 * @throws TokenError if `vocabSize` has no room for a merge, or an id would need more than 16 bits
 * @example
 * const tokenizer = trainBpe(text, { vocabSize: 512 });
 */
export function trainBpe(text: string | Iterable<string>, options: BpeOptions = {}): BpeTokenizer {
  const pieces = typeof text === "string" ? [text] : text;
  if (!isIterable(pieces))
    throw new ArgumentError(`trainBpe: \`text\` must be a string or several: got ${describeValue(pieces)}`);
  checkTypes("trainBpe", { options }, { options: "object" });
  const words = new WordCounts();
  for (const piece of pieces) {
    checkTypes("trainBpe", { text: piece }, { text: "string" });
    words.push(piece);
  }
  words.end();
  return trainOnWords(words, options);
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

/** Learns a tokenizer from the words of a text. Throws as `trainBpe` does. */
export function trainOnWords(
  words: WordCounts,
  { vocabSize = DEFAULT_SIZE, ...special }: BpeOptions = {},
): BpeTokenizer {
  if (!Number.isInteger(vocabSize) || vocabSize <= BYTES || vocabSize > LARGEST_VOCABULARY)
    throw new TokenError(
      `\`vocabSize\` must be a whole number from ${BYTES + 1} to ${LARGEST_VOCABULARY}, because ${BYTES} ids are the bytes: got ${vocabSize}`,
    );
  const most = vocabSize - BYTES - (special.endOfText ? 1 : 0);
  return new BpeTokenizer(learnMerges(words.counts(), most), special);
}

/** A pair that occurs once saves nothing. */
const FEWEST = 2;

/**
 * The merges that a text suggests: `most` of them, or fewer if no pair occurs twice any more.
 *
 * @param words distinct words and how often they occur, as `WordCounts` has them
 * @example
 * learnMerges([["low", 5], ["lower", 2], ["newest", 6]], 2); // [[119, 101], [108, 111]]: "we" and "lo"
 */
export function learnMerges(words: readonly (readonly [string, number])[], most: number): Merge[] {
  const text = new TokenizedWords(words);
  const queue = new PairQueue();
  for (const pair of text.pairs()) queue.add(pair);
  const merges: Merge[] = [];
  const tokens = bytesAsTokens();
  const known = new Set(tokens.map(bytesKey));
  while (merges.length < most) {
    const pair = queue.take();
    if (pair === null || pair.count < FEWEST) break;
    const { first, second } = pair;
    const token = concatenate(tokens[first], tokens[second]);
    // Rarely, two pairs form the same bytes: one token of them is enough.
    if (token.length > LONGEST_TOKEN || known.has(bytesKey(token))) continue;
    known.add(bytesKey(token));
    const id = tokens.push(token) - 1;
    merges.push([first, second]);
    for (const created of text.merge(pair, id)) queue.add(created);
  }
  return merges;
}

/** The distinct words of a text as tokens, and the pairs in them. */
class TokenizedWords {
  /** The tokens of all words, word after word. A word that gets shorter leaves room at its end. */
  readonly #tokens: Int32Array;
  readonly #starts: Int32Array;
  readonly #lengths: Int32Array;
  /** How often each word occurs. */
  readonly #counts: Float64Array;
  readonly #pairs = new Map<number, Pair>();

  constructor(words: readonly (readonly [string, number])[]) {
    const encoder = new TextEncoder();
    const encoded = words.map(([word]) => encoder.encode(word));
    this.#tokens = new Int32Array(encoded.reduce((sum, { length }) => sum + length, 0));
    this.#lengths = Int32Array.from(encoded, ({ length }) => length);
    this.#starts = new Int32Array(words.length);
    this.#counts = Float64Array.from(words, ([, count]) => count);
    let start = 0;
    encoded.forEach((bytes, word) => {
      this.#tokens.set(bytes, start);
      this.#starts[word] = start;
      for (let i = 1; i < bytes.length; i++) this.#add(bytes[i - 1], bytes[i], word);
      start += bytes.length;
    });
  }

  pairs(): Iterable<Pair> {
    return this.#pairs.values();
  }

  /**
   * Replaces a pair by a token, from left to right.
   *
   * @returns the pairs with that token
   */
  merge({ first, second, words }: Pair, id: number): Iterable<Pair> {
    const created = new Map<number, Pair>();
    for (const word of words) this.#mergeIn(word, first, second, id, created);
    this.#pairs.delete(pairKey(first, second));
    return created.values();
  }

  #mergeIn(word: number, first: number, second: number, id: number, created: Map<number, Pair>): void {
    const tokens = this.#tokens;
    const start = this.#starts[word];
    const end = start + this.#lengths[word];
    let to = start;
    for (let from = start; from < end; from++) {
      if (tokens[from] !== first || from + 1 === end || tokens[from + 1] !== second) {
        tokens[to++] = tokens[from];
        continue;
      }
      from += 1;
      if (to > start) {
        this.#remove(tokens[to - 1], first, word);
        this.#add(tokens[to - 1], id, word, created);
      }
      if (from + 1 < end) {
        this.#remove(second, tokens[from + 1], word);
        this.#add(id, tokens[from + 1], word, created);
      }
      tokens[to++] = id;
    }
    this.#lengths[word] = to - start;
  }

  #add(first: number, second: number, word: number, created?: Map<number, Pair>): void {
    const key = pairKey(first, second);
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = { first, second, count: 0, words: [] };
      this.#pairs.set(key, pair);
      created?.set(key, pair);
    }
    pair.count += this.#counts[word];
    if (pair.words.at(-1) !== word) pair.words.push(word);
  }

  #remove(first: number, second: number, word: number): void {
    const pair = this.#pairs.get(pairKey(first, second));
    if (pair !== undefined) pair.count -= this.#counts[word];
  }
}
