/**
 * One decoding step with a KV cache: the positions of the new tokens, the cache slots for their keys and values, and
 * the keys that each of them may see. The blocks need no other information about the cache.
 */
import type { KeyRange } from "../../backend/backend.ts";
import type { KeysAndValues } from "../inputs/forward-options.ts";
import { positionsIn, positionsOf, rowsOf, type TokenBatch } from "../inputs/token-batch.ts";
import type { KVCache } from "./kv-cache.ts";

/** The slot of padding, which is not stored. */
const NO_SLOT = -1;

export class DecodeState {
  /** The position of each new token in its sequence, row by row: B·T numbers. Padding has position 0. */
  readonly positions: Int32Array;
  /** The cache row for the keys and values of each token: B·T numbers, −1 for padding. */
  readonly slots: Int32Array;
  /** The keys that each sequence's queries may see: B ranges. */
  readonly ranges: readonly KeyRange[];
  /** The number of keys that take part: at least the length of the longest sequence after this step. */
  readonly keyCount: number;
  readonly #cache: KVCache;

  constructor(cache: KVCache, state: Pick<DecodeState, "positions" | "slots" | "ranges" | "keyCount">) {
    this.#cache = cache;
    this.positions = state.positions;
    this.slots = state.slots;
    this.ranges = state.ranges;
    this.keyCount = state.keyCount;
  }

  /** The step that appends these tokens to the cache. */
  static of(cache: KVCache, tokens: TokenBatch): DecodeState {
    cache.checkRoom(tokens);
    const { lengths, capacity } = cache;
    const { starts, ends } = rowsOf(tokens);
    const slots = positionsIn(tokens, lengths, NO_SLOT);
    const width = positionsOf(tokens);
    slots.forEach((position, i) => {
      if (position !== NO_SLOT) slots[i] = Math.floor(i / width) * capacity + position;
    });
    return new DecodeState(cache, {
      positions: positionsIn(tokens, lengths),
      slots,
      ranges: lengths.map((length, b) => ({
        start: 0,
        end: length + ends[b] - starts[b],
        diagonal: length - starts[b],
      })),
      keyCount: cache.lengthAfter(tokens),
    });
  }

  /** Stores the keys and values of the new tokens, and returns those of all positions so far. */
  append(layer: number, own: KeysAndValues): KeysAndValues {
    return { ...this.#cache.write(layer, own, this.slots), count: this.keyCount };
  }
}
