/**
 * Splits a text into words before byte-pair encoding, as GPT-2 does. Merges happen inside words only, so no token spans
 * two words, and a word needs to be encoded only once.
 */

const SPACE = "\\p{White_Space}";
/** In characters. GPT-2 has no limit; here it bounds the work on a text without spaces. */
export const LONGEST_WORD = 1024;
const RUN = `{1,${LONGEST_WORD}}`;

/**
 * What a word is, as a regular expression: GPT-2's, with a limit on its length. Every character belongs to one word.
 *
 *   "It's  2 a.m." → It | 's | ␣ | ␣2 | ␣a | . | m | .
 */
export const WORD_PATTERN = [
  // English contractions.
  "'(?:[sdmt]|ll|ve|re)",
  // Letters, digits, or others such as punctuation, each with the space before them.
  ` ?\\p{L}${RUN}`,
  ` ?\\p{N}${RUN}`,
  ` ?[^${SPACE}\\p{L}\\p{N}]${RUN}`,
  // White space, except the last character of it if a word follows.
  `${SPACE}${RUN}(?![^${SPACE}])`,
  `${SPACE}${RUN}`,
].join("|");

/** A shorter word may become a contraction when more text follows. */
const LONGEST_CONTRACTION = 3;

/**
 * Splits a text that comes in pieces. The words are those of the whole text, wherever the pieces end.
 *
 * @example
 * const splitter = new WordSplitter();
 * splitter.push("one tw", onWord); // calls onWord("one")
 * splitter.push("o", onWord);
 * splitter.end(onWord); // calls onWord(" two")
 */
export class WordSplitter {
  readonly #pattern = new RegExp(WORD_PATTERN, "gu");
  #held = "";

  /**
   * Calls `onWord` for each word that is complete.
   *
   * @param text whole characters
   */
  push(text: string, onWord: (word: string) => void): void {
    const all = this.#held + text;
    this.#held = all.slice(this.#split(all, onWord, false));
  }

  /** Calls `onWord` for the words at the end of the text. After that, another text can begin. */
  end(onWord: (word: string) => void): void {
    this.#split(this.#held, onWord, true);
    this.#held = "";
  }

  /** @returns the length of the words found */
  #split(text: string, onWord: (word: string) => void, isLast: boolean): number {
    const pattern = this.#pattern;
    let start = 0;
    pattern.lastIndex = 0;
    while (pattern.test(text)) {
      const end = pattern.lastIndex;
      if (!isLast && (end === text.length || start + LONGEST_CONTRACTION > text.length)) break;
      onWord(text.slice(start, end));
      start = end;
    }
    return start;
  }
}

/**
 * The words of a text.
 *
 * @example
 * splitWords("It's late."); // ["It", "'s", " late", "."]
 */
export function splitWords(text: string): string[] {
  return text.match(new RegExp(WORD_PATTERN, "gu")) ?? [];
}

/** Longer parts of a string refer to the whole string in JavaScript engines, and so keep it in memory. */
const LONGEST_COPIED = 12;

/** The same word, without a reference to the text that it is a part of. */
export function detached(word: string): string {
  return word.length <= LONGEST_COPIED ? word : new TextDecoder().decode(new TextEncoder().encode(word));
}
