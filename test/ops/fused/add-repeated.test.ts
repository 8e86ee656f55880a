/** x + row in one op: the numbers and gradients of `add`, to the bit, for rows repeated along leading axes. */
import { describe, expect, it } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import type { Tensor } from "../../../src/autograd/tensor.ts";
import { ShapeError, TensorError } from "../../../src/errors.ts";
import { add } from "../../../src/ops/add.ts";
import { addRepeated } from "../../../src/ops/fused/add-repeated.ts";
import { backends } from "../../support/backends.ts";
import { Block } from "../../support/block.ts";
import { checkOp } from "../../support/check-op.ts";
import { doubleContext, inScope } from "../../support/contexts.ts";
import { backwardWithCotangent } from "../../support/gradient-check.ts";

describe("addRepeated", () => {
  it.each([
    [[3, 5], [5]],
    [
      [2, 3, 5],
      [3, 5],
    ],
    [[2, 3, 5], [5]],
    [
      [0, 3, 5],
      [3, 5],
    ],
  ])("is the textbook's for %j and %j", async (shape, row) => {
    await checkOp({
      shapes: [shape, row],
      op: addRepeated,
      textbook: (x, r) =>
        Block.build(shape, (...index) => x.at(...index) + r.at(...index.slice(shape.length - row.length))),
    });
  });

  it.each(backends)("equals add to the bit on %s", async (_, open) => {
    const run = async (op: (x: Tensor, row: Tensor) => Tensor) => {
      const backend = await open();
      const context = new Context(backend);
      const [x, row] = [[7, 3, 11] as const, [3, 11] as const].map((shape, i) => {
        return context.parameter(shape, Block.random(shape, `operand ${i}`).values);
      });
      const values = await context.noGrad(() => op(x, row).read());
      await backwardWithCotangent(context, () => op(x, row));
      const gradients = [await x.grad(), await row.grad()];
      await backend.close();
      return [values, ...gradients];
    };
    expect(await run(addRepeated)).toEqual(await run(add));
  });

  it("refuses a row that does not repeat to x", async () => {
    await inScope("no-grad", (context) => {
      const [x, row, same] = [
        [2, 3, 5],
        [2, 5],
        [2, 3, 5],
      ].map((shape) => context.persistent(shape));
      expect(() => addRepeated(x, row)).toThrow(ShapeError);
      expect(() => addRepeated(x, same)).toThrow(ShapeError);
      expect(() => addRepeated(x, doubleContext().persistent([5]))).toThrow(TensorError);
    });
  });
});
