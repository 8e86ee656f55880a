/** Counts the words of a text, in bounded memory: all that a byte-pair encoding is learned from. */
import { detached, WordSplitter } from "./split-words.ts";

/** The total length of the distinct words that are kept, in UTF-16 units; English needs a fraction of it. */
const MOST_UNITS = 1 << 24;

/**
 * Counts words. If there are too many distinct ones, those with the lowest counts so far are forgotten, the later ones
 * first. The counts depend on the text only, not on where its pieces end.
 *
 * @example
 * const words = new WordCounts();
 * for await (const piece of pieces) words.push(piece);
 * words.end();
 * const tokenizer = trainOnWords(words, { vocabSize: 512 });
 */
export class WordCounts {
  readonly #splitter = new WordSplitter();
  readonly #mostUnits: number;
  #counters = new Map<string, { count: number }>();
  #units = 0;

  /** @param mostUnits how much to keep; smaller values are for tests */
  constructor(mostUnits: number = MOST_UNITS) {
    this.#mostUnits = mostUnits;
  }

  /** @param text whole characters */
  push(text: string): void {
    this.#splitter.push(text, this.#add);
  }

  /** The end of the text or of one of its documents: no word continues after it. */
  end(): void {
    this.#splitter.end(this.#add);
  }

  /** The words in order of first appearance, and how often each occurs. */
  counts(): [word: string, count: number][] {
    return Array.from(this.#counters, ([word, { count }]) => [word, count]);
  }

  readonly #add = (word: string): void => {
    const counter = this.#counters.get(word);
    if (counter !== undefined) {
      counter.count += 1;
      return;
    }
    this.#counters.set(detached(word), { count: 1 });
    this.#units += word.length;
    if (this.#units > this.#mostUnits) this.#forgetRareWords();
  };

  /** Keeps the most frequent words, up to half of what may be kept. */
  #forgetRareWords(): void {
    // A stable sort: of equal counts, the earlier words come first.
    const sorted = [...this.#counters].sort(([, a], [, b]) => b.count - a.count);
    this.#units = 0;
    this.#counters = new Map(
      sorted.filter(([word]) => {
        this.#units += word.length;
        return this.#units <= this.#mostUnits / 2;
      }),
    );
    this.#units = [...this.#counters.keys()].reduce((sum, word) => sum + word.length, 0);
  }
}
