import { describe, expect, test } from "vitest";
import { ShapeError, TokenError } from "../../src/errors.ts";
import { rotary } from "../../src/ops/rotary.ts";
import { Block } from "../support/block.ts";
import { checkOp, expectClose } from "../support/check-op.ts";
import { inScope } from "../support/contexts.ts";

/** The angle of pair `pair` at a place: any numbers will do, as long as no two are alike. */
const angleOf = (place: number, pair: number) => 0.7 * place + 1.9 * pair + 0.3 * place * pair;
const PLACES = 7;

/** Cosines, then sines, for each place. */
function tableOf(width: number): number[] {
  const half = width / 2;
  return Array.from({ length: PLACES * width }, (_, i) => {
    const [place, column] = [Math.floor(i / width), i % width];
    return column < half ? Math.cos(angleOf(place, column)) : Math.sin(angleOf(place, column - half));
  });
}

/** e^{iθ}·(a + ib), a channel at a time. */
function textbookRotation(x: Block, width: number, placeOf: (...index: number[]) => number): Block {
  return Block.build(x.shape, (...index) => {
    const channel = index[index.length - 1];
    const [first, within] = [channel - (channel % width), channel % width];
    const pair = within % (width / 2);
    const [a, b] = [pair, width / 2 + pair].map((c) => x.at(...index.with(-1, first + c)));
    const angle = angleOf(placeOf(...index), pair);
    return within < width / 2
      ? a * Math.cos(angle) - b * Math.sin(angle)
      : b * Math.cos(angle) + a * Math.sin(angle);
  });
}

describe("rotate", () => {
  test.each([
    [[5, 6], 6],
    [[5, 6], 2],
    [[2, 3, 12], 4],
    [[0, 3, 12], 4],
  ])("of %j in runs of %i", async (shape, width) => {
    const rows = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const places = Array.from({ length: rows }, (_, i) => (3 * i + 1) % PLACES);
    await checkOp({
      shapes: [shape],
      op: (x) => {
        const angles = x.context.constant([PLACES, width], tableOf(width));
        return rotary(x, angles, places);
      },
      textbook: (x) =>
        textbookRotation(x, width, (...index) => {
          const row = index.slice(0, -1).reduce((at, i, axis) => at * shape[axis] + i, 0);
          return places[row];
        }),
    });
  });

  test("keeps lengths, and makes products of two positions depend on their distance alone", async () => {
    const width = 6;
    const frequencies = [1, 0.1, 0.01];
    const table = Array.from({ length: 20 }, (_, place) => [
      ...frequencies.map((f) => Math.cos(f * place)),
      ...frequencies.map((f) => Math.sin(f * place)),
    ]).flat();
    const [query, key] = ["query", "key"].map((name) => Array.from(Block.random([width], name).values));
    const products = await inScope("no-grad", async (context) => {
      const angles = context.constant([20, width], table);
      const found: number[] = [];
      for (const start of [0, 5, 12]) {
        const at = async (x: number[], place: number) =>
          rotary(context.constant([1, width], x), angles, [place]).read();
        const [q, k] = [await at(query, start + 4), await at(key, start)];
        expectClose([Math.hypot(...Array.from(q))], [Math.hypot(...query)], 1e-12, "length");
        found.push(Array.from(q).reduce((sum, value, i) => sum + value * k[i], 0));
      }
      return found;
    });
    expectClose(products, [products[0], products[0], products[0]], 1e-12, "product");
  });

  test.each([
    [[2, 6], [7, 3], 2],
    [[2, 6], [7, 4], 2],
    [[2, 6], [6], 2],
    [[2, 6], [7, 6], 3],
    [[], [7, 6], 0],
  ])("refuses x %j, angles %j and %i places", async (shape, angles, count) => {
    await inScope("no-grad", (context) => {
      const [x, table] = [shape, angles].map((each) => context.persistent(each));
      expect(() => rotary(x, table, new Array(count).fill(0))).toThrow(ShapeError);
    });
  });

  test("refuses a place outside the table", async () => {
    await inScope("no-grad", (context) => {
      const [x, table] = [context.persistent([2, 6]), context.persistent([7, 6])];
      expect(() => rotary(x, table, [0, 7])).toThrow(TokenError);
      expect(() => rotary(x, table, [-1, 0])).toThrow(TokenError);
    });
  });
});
