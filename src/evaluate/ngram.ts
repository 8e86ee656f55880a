/**
 * An n-gram model of tokens: the loss that counting alone reaches on a text. It smooths by Witten–Bell interpolation:
 *
 *   Pₙ(w | h) = (c(hw) + T(h)·Pₙ₋₁(w | h′)) / (c(h) + T(h))        P₀(w) = 1 / vocabulary size
 *
 * h are the n − 1 tokens before w, h′ is h without its first token, c(hw) counts w after h, c(h) = Σ c(hw), and T(h) is
 * the number of different tokens seen after h. Source: Witten & Bell 1991, as written by Chen & Goodman 1998.
 */
import { DataError } from "../errors.ts";
import { log } from "../math.ts";
import { CountTree } from "./count-tree.ts";

export class NgramModel {
  readonly order: number;
  readonly vocabSize: number;
  readonly #tree = new CountTree();

  /**
   * @param order the longest n-gram; 1 counts single tokens
   * @throws DataError unless both are whole numbers of at least 1
   */
  constructor(order: number, vocabSize: number) {
    for (const [name, value] of Object.entries({ order, vocabSize })) {
      if (!Number.isSafeInteger(value) || value < 1)
        throw new DataError(`n-grams: ${name} must be a whole number of at least 1: got ${value}`);
    }
    this.order = order;
    this.vocabSize = vocabSize;
  }

  /**
   * Counts the n-grams of one stretch of text. No n-gram spans two stretches.
   *
   * @param ids below `vocabSize`
   * @example
   * const model = new NgramModel(5, tokenizer.vocabSize);
   * model.add(tokenizer.encode(text));
   */
  add(ids: Int32Array): void {
    const histories = new Histories(this.order);
    for (const id of ids) histories.follow((node) => this.#tree.add(node, id));
  }

  /**
   * The summed loss on a stretch of text, in nats. The first token has no history.
   *
   * @param order the longest n-gram to use, at most the model's; 1 gives the loss of the tokens' frequencies
   * @example
   * const natsPerToken = model.nats(ids) / ids.length;
   */
  nats(ids: Int32Array, order = this.order): number {
    const histories = new Histories(order);
    let sum = 0;
    for (const id of ids) {
      let p = 1 / this.vocabSize;
      histories.follow((node) => {
        const followers = this.#tree.followers(node);
        const child = this.#tree.find(node, id);
        const count = child === CountTree.unknown ? 0 : this.#tree.count(child);
        if (followers > 0) p = (count + followers * p) / (this.#tree.total(node) + followers);
        return child;
      });
      sum -= log(p);
    }
    return sum;
  }
}

/** The nodes of the last 0, 1, 2 … tokens of a text. Histories that were never counted are left out. */
class Histories {
  readonly #nodes: Int32Array;
  #known = 1;

  constructor(order: number) {
    this.#nodes = new Int32Array(order).fill(CountTree.root);
  }

  /**
   * Moves to the next token.
   *
   * @param next called for each history, shortest first; returns its node with the next token added, or
   *   `CountTree.unknown`
   */
  follow(next: (node: number) => number): void {
    const nodes = this.#nodes;
    let longer: number = CountTree.root;
    for (let n = 0; n < this.#known; n++) {
      const node = nodes[n];
      nodes[n] = longer;
      longer = next(node);
    }
    if (this.#known < nodes.length) nodes[this.#known++] = longer;
    // If a history was never counted, longer ones that end with it were not either.
    while (nodes[this.#known - 1] === CountTree.unknown) this.#known -= 1;
  }
}
