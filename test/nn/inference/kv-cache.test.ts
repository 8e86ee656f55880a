import { describe, expect, test } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import { ShapeError, TensorError } from "../../../src/errors.ts";
import { DecodeState } from "../../../src/nn/inference/decode-state.ts";
import { KVCache } from "../../../src/nn/inference/kv-cache.ts";
import { type Padding, padTokens } from "../../../src/nn/inputs/token-batch.ts";
import { inspect } from "../../../src/nn/inspect.ts";
import { joinHeads } from "../../../src/nn/layers/textbook-attention.ts";
import { logitsOf } from "../../../src/verify/logits.ts";
import { Block } from "../../support/block.ts";
import { countingBackend, doubleContext, inScope } from "../../support/contexts.ts";
import { randomIds, tinyModel } from "../../support/models.ts";

const sizes = { batchSize: 2, capacity: 5, channels: 3, layers: 2 };

/** Arbitrary ids for two rows of the given number of positions. */
const tokens = (positions: number) => ({ ids: new Int32Array(2 * positions), batchSize: 2 });

describe("KVCache", () => {
  test("appends new positions to each row of the batch", async () => {
    await inScope("no-grad", async (context) => {
      const cache = new KVCache(context, sizes);
      const block = (positions: number, name: string) => {
        const { shape, values } = Block.random([2, positions, 3], name);
        return context.constant(shape, values);
      };
      const [k1, v1, k2, v2] = [block(1, "k1"), block(1, "v1"), block(3, "k2"), block(3, "v2")];
      const first = DecodeState.of(cache, tokens(1));
      for (const layer of [0, 1]) first.append(layer, { keys: k1, values: v1 });
      expect(cache.length, "until every layer has written").toBe(0);
      cache.advance(tokens(1));
      const { keys, values } = DecodeState.of(cache, tokens(3)).append(1, { keys: k2, values: v2 });
      cache.advance(tokens(3));
      expect(cache.length).toBe(4);
      for (const [stored, first, second] of [
        [keys, k1, k2],
        [values, v1, v2],
      ]) {
        const [all, a, b] = await Promise.all([stored.read(), first.read(), second.read()]);
        for (const row of [0, 1]) {
          const filled = Array.from(all.slice(15 * row, 15 * row + 12));
          expect(filled).toEqual([...a.slice(3 * row, 3 * row + 3), ...b.slice(9 * row, 9 * row + 9)]);
        }
      }
    });
  });

  test("shows copies of what each sequence has cached", async () => {
    const model = tinyModel(doubleContext(), { positions: "rotary" });
    const rows = [randomIds(4, 11, "long"), randomIds(2, 11, "short")];
    const cache = model.makeCache(2);
    await model.context.noGrad(() => model.decode(padTokens(rows, "left"), cache).read());
    await model.context.noGrad(() => model.decode({ ids: [3, 7], batchSize: 2 }, cache).read());
    for (const layer of [0, 1]) {
      const cached = await cache.keysAndValues(layer);
      for (const [b, row] of [
        [...rows[0], 3],
        [...rows[1], 7],
      ].entries()) {
        const tokens = { ids: row, batchSize: 1 };
        const expected = await model.context.scope("no-grad", () => {
          const { keys, values } = inspect(model, tokens).blocks[layer];
          return Promise.all([keys, values].map((x) => joinHeads(x).read()));
        });
        expect([cached[b].keys, cached[b].values]).toEqual(expected);
        cached[b].keys.fill(Number.NaN);
      }
      const again = await cache.keysAndValues(layer);
      expect(again.some(({ keys }) => keys.some(Number.isNaN))).toBe(false);
    }
    await expect(cache.keysAndValues(2)).rejects.toThrow("cache: has layers 0 … 1: got 2");
    cache.free();
  });

  test("rejects keys that need a gradient", async () => {
    await inScope("grad", (context) => {
      const cache = new KVCache(context, sizes);
      const keys = context.parameter([2, 1, 3], new Float64Array(6));
      const state = DecodeState.of(cache, tokens(1));
      expect(() => state.append(0, { keys, values: keys })).toThrow(TensorError);
    });
  });

  test("clear empties the cache, free releases the memory", () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const cache = new KVCache(context, sizes);
    expect(memory.current).toBe(2 * 2 * 2 * 5 * 3);
    cache.advance(tokens(5));
    cache.clear();
    expect(cache.length).toBe(0);
    cache.free();
    expect(memory.live.size).toBe(0);
  });

  test("keeps a length per row, and stores no padding", async () => {
    await inScope("no-grad", async (context) => {
      const cache = new KVCache(context, { ...sizes, layers: 1 });
      const append = (positions: number, padding: Padding | undefined, name: string) => {
        const { shape, values } = Block.random([2, positions, 3], name);
        const keys = context.constant(shape, values);
        const batch = {
          ids: values.filter((_, i) => i % 3 === 0),
          batchSize: 2,
          ...(padding === undefined ? {} : { padding }),
        };
        const filled = DecodeState.of(cache, batch).append(0, { keys, values: keys });
        cache.advance(batch);
        return { filled, block: new Block(shape, values) };
      };
      const left = append(3, { starts: [0, 2], ends: [3, 3] }, "left").block;
      expect(cache.lengths).toEqual([3, 1]);
      expect(cache.lastIds).toEqual([left.at(0, 2, 0), left.at(1, 2, 0)]);
      const none = append(2, { starts: [1, 0], ends: [1, 2] }, "right").block;
      expect(cache.lengths).toEqual([3, 3]);
      expect(cache.lastIds, "a row that got nothing keeps its last").toEqual([
        left.at(0, 2, 0),
        none.at(1, 1, 0),
      ]);
      cache.clearRow(1);
      expect(cache.lastIds[1]).toBeUndefined();
      const { filled, block: plain } = append(2, undefined, "plain");
      expect(cache.lengths).toEqual([5, 2]);
      const all = await filled.keys.read();
      const row = (b: number, from: Block, t: number) => [0, 1, 2].map((c) => from.at(b, t, c));
      expect(Array.from(all.slice(0, 15))).toEqual(
        [row(0, left, 0), row(0, left, 1), row(0, left, 2), row(0, plain, 0), row(0, plain, 1)].flat(),
      );
      expect(Array.from(all.slice(15, 21))).toEqual([row(1, plain, 0), row(1, plain, 1)].flat());
    });
  });

  test("select copies, reorders and drops rows", async () => {
    await inScope("no-grad", async (context) => {
      const cache = new KVCache(context, { ...sizes, layers: 1 });
      const { shape, values } = Block.random([2, 3, 3], "rows");
      const keys = context.constant(shape, values);
      const padding = { starts: [0, 1], ends: [3, 3] };
      const batch = { ids: [1, 2, 3, 0, 4, 5], batchSize: 2, padding };
      DecodeState.of(cache, batch).append(0, { keys, values: keys });
      cache.advance(batch);
      cache.select([1, 0, 1]);
      expect([cache.batchSize, cache.lengths, cache.lastIds]).toEqual([3, [2, 3, 2], [5, 3, 5]]);
      const one = context.constant([3, 1, 3], new Float64Array(9));
      const state = DecodeState.of(cache, { ids: [0, 0, 0], batchSize: 3 });
      const filled = await state.append(0, { keys: one, values: one }).values.read();
      expect(Array.from(filled.slice(0, 9))).toEqual([...values.slice(12, 18), 0, 0, 0]);
      expect(Array.from(filled.slice(15, 27))).toEqual([...values.slice(0, 9), 0, 0, 0]);
      expect(Array.from(filled.slice(30, 39))).toEqual([...values.slice(12, 18), 0, 0, 0]);
      cache.select([]);
      expect(cache.batchSize).toBe(0);
    });
  });

  test("select rejects rows that do not exist, and leaks no memory", () => {
    const { backend, memory } = countingBackend();
    const cache = new KVCache(new Context(backend), sizes);
    for (const row of [-1, 2, 0.5]) {
      const wrong = `cache: has rows 0 … 1: got ${row} to select`;
      expect(() => cache.select([0, row])).toThrow(new ShapeError(wrong));
    }
    cache.select([1, 1, 0]);
    cache.select([2]);
    expect(memory.current).toBe(2 * 2 * 5 * 3);
    cache.free();
    expect(memory.live.size).toBe(0);
  });

  test("treats a second sequence after clear like a first one", async () => {
    const { backend } = countingBackend();
    const model = tinyModel(new Context(backend), { attention: "fused" });
    const cache = model.makeCache(1);
    const run = (ids: number[]) =>
      model.context.scope("no-grad", async () => {
        cache.clear();
        return Array.from(await model.forward({ ids, batchSize: 1 }, { cache, random: null }).read());
      });
    await run(randomIds(7, 11, "first"));
    const second = randomIds(3, 11, "second");
    expect(await run(second)).toEqual(Array.from((await logitsOf(model, [second])).values));
  });
});
