/** The pairs of neighboring tokens, the most frequent first. */

/** Two tokens that are neighbors in some words. */
export interface Pair {
  readonly first: number;
  readonly second: number;
  /** How often the pair occurs in the text. */
  count: number;
  /** The words in which it occurs, and perhaps some in which it occurred. */
  readonly words: number[];
}

interface Entry {
  readonly pair: Pair;
  /** The pair's count when it was put here. */
  readonly count: number;
}

/**
 * A binary heap. A pair's count may fall after it was added, but not rise. When it reaches the front with an old count, it
 * is put back with its new one, which is cheaper than moving it every time.
 */
export class PairQueue {
  readonly #heap: Entry[] = [];

  add(pair: Pair): void {
    const heap = this.#heap;
    const entry = { pair, count: pair.count };
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!comesBefore(entry, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  /** Removes the most frequent pair; null if there is none. */
  take(): Pair | null {
    for (;;) {
      const entry = this.#takeFirst();
      if (entry === null || entry.count === entry.pair.count) return entry?.pair ?? null;
      if (entry.pair.count > 0) this.add(entry.pair);
    }
  }

  #takeFirst(): Entry | null {
    const heap = this.#heap;
    const [front] = heap;
    const last = heap.pop();
    if (last === undefined) return null;
    if (heap.length === 0) return front;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && comesBefore(heap[child + 1], heap[child])) child += 1;
      if (!comesBefore(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return front;
  }
}

/** The higher count first; of equal counts, the smaller first token, then the smaller second one. */
function comesBefore(a: Entry, b: Entry): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.pair.first === b.pair.first ? a.pair.second < b.pair.second : a.pair.first < b.pair.first;
}
