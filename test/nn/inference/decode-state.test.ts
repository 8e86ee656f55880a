/** A decoding step against its definition: positions, cache slots, and which query sees which key. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import { ReferenceBackend } from "../../../src/backend/reference/reference-backend.ts";
import { ShapeError } from "../../../src/errors.ts";
import { DecodeState } from "../../../src/nn/inference/decode-state.ts";
import { KVCache } from "../../../src/nn/inference/kv-cache.ts";
import { paddedRows, sees } from "../../support/key-ranges.ts";

const CAPACITY = 13;

/** An empty cache whose sequences have these lengths. */
function cacheOf(lengths: readonly number[], capacity = CAPACITY): KVCache {
  const sizes = { batchSize: lengths.length, capacity, channels: 1, layers: 1 };
  const cache = new KVCache(new Context(new ReferenceBackend()), sizes);
  const longest = Math.max(0, ...lengths);
  const padding = { starts: lengths.map(() => 0), ends: lengths };
  cache.advance({ ids: new Int32Array(lengths.length * longest), batchSize: lengths.length, padding });
  return cache;
}

describe("DecodeState", () => {
  test("gives each token its position, its slot and the keys up to itself, and padding none", () => {
    fc.assert(
      fc.property(
        paddedRows,
        fc.array(fc.nat(5), { minLength: 3, maxLength: 3 }),
        ({ positions, padding }, held) => {
          const lengths = padding.starts.map((_, b) => held[b]);
          const batchSize = lengths.length;
          const tokens = { ids: new Int32Array(batchSize * positions), batchSize, padding };
          const state = DecodeState.of(cacheOf(lengths), tokens);
          expect(state.keyCount).toBe(
            Math.max(...lengths.map((length, b) => length + padding.ends[b] - padding.starts[b])),
          );
          lengths.forEach((length, b) => {
            for (let t = 0; t < positions; t++) {
              const i = b * positions + t;
              const isToken = padding.starts[b] <= t && t < padding.ends[b];
              const position = length + t - padding.starts[b];
              expect(state.positions[i]).toBe(isToken ? position : 0);
              expect(state.slots[i]).toBe(isToken ? b * CAPACITY + position : -1);
              if (!isToken) continue;
              for (let key = 0; key < CAPACITY; key++) {
                expect(sees(state.ranges[b], t, key)).toBe(key <= position);
              }
            }
          });
        },
      ),
    );
  });

  test("without padding, sequences of two lengths have two ranges", () => {
    const state = DecodeState.of(cacheOf([3, 1]), { ids: [0, 0, 0, 0], batchSize: 2 });
    expect(state.ranges).toEqual([
      { start: 0, end: 5, diagonal: 3 },
      { start: 0, end: 3, diagonal: 1 },
    ]);
  });

  test("refuses tokens that do not fit", () => {
    const cache = cacheOf([4, 4], 5);
    const long = "cache: holds 2 rows of 5 positions, 4 filled: got 2 rows of 2 more";
    expect(() => DecodeState.of(cache, { ids: [0, 0, 0, 0], batchSize: 2 })).toThrow(new ShapeError(long));
    const wide = "cache: holds 2 rows of 5 positions, 4 filled: got 1 rows of 1 more";
    expect(() => DecodeState.of(cache, { ids: [0], batchSize: 1 })).toThrow(new ShapeError(wide));
  });
});
