import { describe, expect, test } from "vitest";
import { ShapeError, TokenError } from "../../src/errors.ts";
import { add } from "../../src/ops/add.ts";
import { embedding } from "../../src/ops/embedding.ts";
import { Block } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { inScope } from "../support/contexts.ts";

describe("embedding", () => {
  test.each([
    [[0, 6, 3], [3]],
    [
      [4, 4, 1, 4, 0, 6],
      [2, 3],
    ],
    [[5], []],
    [[], [0]],
    [[], [2, 0]],
  ])("rows %j as %j", async (ids, shape) => {
    const textbook = (table: Block) =>
      Block.build([...shape, 5], (...index) => {
        const place = index.slice(0, -1).reduce((at, i, axis) => at * shape[axis] + i, 0);
        return table.at(ids[place], index[index.length - 1]);
      });
    await checkOp({ shapes: [[7, 5]], op: (table) => embedding(table, ids, shape), textbook });
  });

  test("two lookups in one table add up their gradients", async () => {
    await checkOp({
      shapes: [[3, 2]],
      op: (table) => add(embedding(table, [0, 1], [2]), embedding(table, [1, 1], [2])),
      textbook: (table) => Block.build([2, 2], (i, j) => table.at([0, 1][i], j) + table.at(1, j)),
    });
  });

  test.each([7, -1, 0.5, Number.NaN])("rejects id %d of 7", async (id) => {
    await inScope("no-grad", (context) => {
      const error = new TokenError(`embedding: ids must be whole numbers in 0 … 6: got ${id} at 1`);
      expect(() => embedding(context.persistent([7, 5]), [0, id], [2])).toThrow(error);
    });
  });

  test("rejects ids that do not fill the shape, and a table that is not a matrix", async () => {
    await inScope("no-grad", (context) => {
      const needs = "embedding: needs a table (V, C) and ids that fill (2, 2)";
      const few = new ShapeError(`${needs}: got (7, 5) and 3 ids`);
      expect(() => embedding(context.persistent([7, 5]), [0, 1, 2], [2, 2])).toThrow(few);
      const flat = new ShapeError(`${needs}: got (7) and 4 ids`);
      expect(() => embedding(context.persistent([7]), [0, 1, 2, 3], [2, 2])).toThrow(flat);
    });
  });
});
