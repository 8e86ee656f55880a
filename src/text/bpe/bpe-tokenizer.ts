import { TokenError } from "../../errors.ts";
import { checkTypes } from "../../util/check-types.ts";
import { ByteLevelTokenizer } from "../byte-level-tokenizer.ts";
import type { SpecialTokens, StreamingTextEncoder, TokenizerData } from "../tokenizer.ts";
import { BYTES, checkCount, type Merge, pairKey, tokensOf } from "./merges.ts";
import { detached, splitWords, WordSplitter } from "./split-words.ts";

/** Words that were encoded are kept, up to this many and this long. */
const MOST_CACHED = 1 << 16;
const LONGEST_CACHED = 64;

/**
 * Byte-level byte-pair encoding (BPE): tokens are frequent sequences of bytes, made from pairs by merges that are learned
 * from a text (see train-bpe.ts). Ids 0 … 255 are the bytes, then one per merge, then the token that ends a document. Any
 * text can be encoded, because any byte can. An unpaired surrogate becomes U+FFFD, as in UTF-8.
 *
 * @example
 * const tokenizer = new BpeTokenizer([[119, 101], [108, 111]]); // "we" and "lo"
 * tokenizer.encode("lower"); // [257, 256, 114]: lo we r
 */
export class BpeTokenizer extends ByteLevelTokenizer {
  readonly kind = "bpe";
  readonly merges: readonly Merge[];
  readonly vocabSize: number;
  readonly endOfText: number | null;
  /** The bytes of each id. */
  readonly #tokens: readonly Uint8Array[];
  /** The id that a pair of ids becomes. */
  readonly #merged = new Map<number, number>();
  readonly #cache = new Map<string, Int32Array>();

  /** @throws TokenError unless each merge joins two tokens that exist before it, into bytes that no other token has */
  constructor(merges: readonly Merge[], { endOfText }: SpecialTokens = {}) {
    super();
    checkTypes("BpeTokenizer", { merges }, { merges: "array" });
    this.merges = merges;
    this.#tokens = tokensOf(merges);
    merges.forEach(([first, second], i) => {
      this.#merged.set(pairKey(first, second), BYTES + i);
    });
    this.endOfText = endOfText ? this.#tokens.length : null;
    this.vocabSize = this.#tokens.length + (endOfText ? 1 : 0);
  }

  /**
   * Restores a tokenizer from what `toJSON` returned.
   *
   * @throws TokenError for anything else
   */
  static fromJSON({ merges, ...special }: Extract<TokenizerData, { kind: "bpe" }>): BpeTokenizer {
    checkCount(merges);
    return new BpeTokenizer(merges.map(parseMerge), special);
  }

  encode(text: string): Int32Array {
    checkTypes("encode", { text }, { text: "string" });
    const ids: number[] = [];
    for (const word of splitWords(text)) for (const id of this.#encodeWord(word)) ids.push(id);
    return Int32Array.from(ids);
  }

  encoder(): StreamingTextEncoder {
    const splitter = new WordSplitter();
    let ids: number[] = [];
    const onWord = (word: string) => {
      for (const id of this.#encodeWord(word)) ids.push(id);
    };
    const take = () => {
      const taken = ids;
      ids = [];
      return taken;
    };
    return {
      push: (text) => {
        splitter.push(text, onWord);
        return take();
      },
      end: () => {
        splitter.end(onWord);
        return take();
      },
    };
  }

  #encodeWord(word: string): Int32Array {
    const known = this.#cache.get(word);
    if (known !== undefined) return known;
    const ids = this.#merge(new TextEncoder().encode(word));
    if (word.length <= LONGEST_CACHED) {
      if (this.#cache.size === MOST_CACHED) this.#cache.clear();
      this.#cache.set(detached(word), ids);
    }
    return ids;
  }

  /** Do not change them: they are kept. */
  tokenBytes(id: number): Uint8Array {
    const token = this.#tokens[id];
    if (token !== undefined) return token;
    if (id === this.endOfText) return new Uint8Array(0);
    throw new TokenError(`decode: this vocabulary's ids are 0 … ${this.vocabSize - 1}: got ${id}`);
  }

  toJSON(): TokenizerData {
    const data = { kind: this.kind, merges: this.merges.map(([a, b]) => `${a} ${b}`) } as const;
    return this.endOfText === null ? data : { ...data, endOfText: true };
  }

  /**
   * Applies the merges in the order in which they were learned: as long as any pair of neighbors can be merged, the
   * earliest merge is made wherever it applies, from left to right. A new token is part of later merges only, so each
   * merge is made at most once.
   */
  #merge(bytes: Uint8Array): Int32Array {
    const ids = Int32Array.from(bytes);
    let { length } = ids;
    for (;;) {
      let earliest = Number.POSITIVE_INFINITY;
      for (let i = 1; i < length; i++) {
        const merged = this.#merged.get(pairKey(ids[i - 1], ids[i]));
        if (merged !== undefined && merged < earliest) earliest = merged;
      }
      if (earliest === Number.POSITIVE_INFINITY) return ids.slice(0, length);
      length = replacePair(ids, length, this.merges[earliest - BYTES], earliest);
    }
  }
}

/**
 * Replaces a pair by one id, from left to right, in ids[0 … length).
 *
 * @returns the new length
 */
function replacePair(ids: Int32Array, length: number, [first, second]: Merge, merged: number): number {
  let to = 0;
  for (let from = 0; from < length; from++) {
    const isPair = ids[from] === first && from + 1 < length && ids[from + 1] === second;
    ids[to++] = isPair ? merged : ids[from];
    if (isPair) from += 1;
  }
  return to;
}

function parseMerge(text: string, i: number): Merge {
  const [, first, second] = /^(\d{1,5}) (\d{1,5})$/.exec(text) ?? [];
  if (second !== undefined) return [Number(first), Number(second)];
  throw new TokenError(
    `merges[${i}]: must be two ids, like "104 101": got ${JSON.stringify(text.slice(0, 40))}`,
  );
}
