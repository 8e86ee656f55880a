import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { ShapeError, TensorError } from "../../src/errors.ts";
import { KeyValueCache } from "../../src/nn/key-value-cache.ts";
import { Block } from "../support/block.ts";
import { countingBackend, inScope } from "../support/contexts.ts";
import { logitsOf } from "../support/leakage.ts";
import { randomIds, tinyModel } from "../support/models.ts";

const sizes = { batchSize: 2, capacity: 5, channels: 3, layers: 2 };

describe("KeyValueCache", () => {
  test("lays new positions behind the old ones, row by row of the batch", async () => {
    await inScope("forget", async (context) => {
      const cache = new KeyValueCache(context, sizes);
      const block = (positions: number, name: string) => {
        const { shape, values } = Block.random([2, positions, 3], name);
        return context.constant(shape, values);
      };
      const [k1, v1, k2, v2] = [block(1, "k1"), block(1, "v1"), block(3, "k2"), block(3, "v2")];
      for (const layer of [0, 1]) cache.append(layer, k1, v1);
      expect(cache.length, "until every layer has written").toBe(0);
      cache.advance(1, new Int32Array(99));
      const { keys, values } = cache.append(1, k2, v2);
      cache.advance(3, new Int32Array(99));
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

  test("refuses what does not fit", async () => {
    await inScope("forget", (context) => {
      const cache = new KeyValueCache(context, sizes);
      cache.advance(4, new Int32Array(99));
      const two = context.hold([2, 2, 3]);
      const long = "cache: holds 2 rows of 5 positions, 4 filled: got 2 rows of 2 more";
      expect(() => cache.append(0, two, two)).toThrow(new ShapeError(long));
      const one = context.hold([1, 1, 3]);
      const wide = "cache: holds 2 rows of 5 positions, 4 filled: got 1 rows of 1 more";
      expect(() => cache.append(0, one, one)).toThrow(new ShapeError(wide));
    });
  });

  test("refuses keys whose gradient it would lose", async () => {
    await inScope("record", (context) => {
      const cache = new KeyValueCache(context, sizes);
      const keys = context.parameter([2, 1, 3], new Float64Array(6));
      expect(() => cache.append(0, keys, keys)).toThrow(TensorError);
    });
  });

  test("clear starts again, free gives the memory back", () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const cache = new KeyValueCache(context, sizes);
    expect(memory.current).toBe(2 * 2 * 2 * 5 * 3);
    cache.advance(5, new Int32Array(99));
    cache.clear();
    expect(cache.length).toBe(0);
    cache.free();
    expect(memory.live.size).toBe(0);
  });

  test("serves a second sequence after clear as if it were new", async () => {
    const { backend } = countingBackend();
    const model = tinyModel(new Context(backend), { attention: "fused" });
    const cache = model.makeCache(1);
    const run = (ids: number[]) =>
      model.context.scope("forget", async () => {
        cache.clear();
        return Array.from(await model.forward({ ids, batchSize: 1 }, { cache, random: null }).read());
      });
    await run(randomIds(7, 11, "first"));
    const second = randomIds(3, 11, "second");
    expect(await run(second)).toEqual((await logitsOf(model, [second])).flat(2));
  });
});
