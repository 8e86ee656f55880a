/**
 * Adds items in a fixed binary tree, as a binary counter does: items 0 and 1 are added first, then 2 and 3, then both
 * sums, and so on. Rounding depends on the order of additions; here it depends on the number of items alone, and the
 * items of a block of 2, 4, 8, … can be added elsewhere.
 *
 *   0   1   2   3   4          ((0 + 1) + (2 + 3)) + 4
 *   └─+─┘   └─+─┘   │
 *     └───+───┘     │
 *         └────+────┘
 *
 * At most log₂(items) + 1 partial sums exist at a time.
 *
 * @example
 * const sum = new TreeSum<number>((a, b) => a + b);
 * for (const number of numbers) sum.push(number);
 * sum.take();
 */
export class TreeSum<T> {
  readonly #add: (earlier: T, later: T) => T;
  /** Partial sums of fewer and fewer items. */
  readonly #partial: { readonly sum: T; readonly items: number }[] = [];

  /** @param add the sum of two items; it may reuse the memory of both */
  constructor(add: (earlier: T, later: T) => T) {
    this.#add = add;
  }

  push(item: T): void {
    this.#partial.push({ sum: item, items: 1 });
    while (this.#partial.at(-1)?.items === this.#partial.at(-2)?.items) this.#addLastTwo();
  }

  /** The sum of all items so far; null if there are none. The next sum starts over. */
  take(): T | null {
    while (this.#partial.length > 1) this.#addLastTwo();
    return this.#partial.pop()?.sum ?? null;
  }

  /** The partial sums, for freeing them when a sum is given up. The next sum starts over. */
  discard(): T[] {
    return this.#partial.splice(0).map(({ sum }) => sum);
  }

  #addLastTwo(): void {
    const [earlier, later] = this.#partial.splice(-2);
    this.#partial.push({ sum: this.#add(earlier.sum, later.sum), items: earlier.items + later.items });
  }
}
