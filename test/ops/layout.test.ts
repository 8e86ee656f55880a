/** reshape, transpose, slice, concatenate, broadcastTo: ops that only move numbers. */
import { describe, expect, test } from "vitest";
import type { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { ShapeError, TensorError } from "../../src/errors.ts";
import { concatenate } from "../../src/ops/concatenate.ts";
import { broadcastTo } from "../../src/ops/internal/broadcast.ts";
import { negate } from "../../src/ops/negate.ts";
import { reshape } from "../../src/ops/reshape.ts";
import { slice } from "../../src/ops/slice.ts";
import { transpose } from "../../src/ops/transpose.ts";
import { Block } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { doubleContext, inScope } from "../support/contexts.ts";

const zeros = (context: Context, ...shape: number[]) =>
  context.constant(shape, new Float64Array(shape.reduce((a, b) => a * b, 1)));

async function expectRefusal(error: Error, run: (context: Context) => Tensor): Promise<void> {
  await inScope("no-grad", (context) => {
    expect(() => run(context)).toThrow(error);
  });
}

describe("reshape", () => {
  test.each([
    [
      [2, 3, 5],
      [5, 6],
      [5, 6],
    ],
    [[2, 3, 5], [30], [30]],
    [
      [2, 3, 5],
      [3, -1],
      [3, 10],
    ],
    [[1, 1], [], []],
    [[], [1, -1], [1, 1]],
    [
      [0, 3],
      [5, 0],
      [5, 0],
    ],
    [
      [0, 3],
      [3, -1],
      [3, 0],
    ],
  ])("%j to %j", async (from, to, shape) => {
    // Negated first: a reshaped parameter is the parameter, of which nothing is recorded.
    const op = (x: Tensor) => reshape(negate(x), to);
    await checkOp({
      shapes: [from],
      op,
      textbook: (x) =>
        new Block(
          shape,
          x.values.map((value) => -value),
        ),
    });
  });

  test("shares memory and gradient", async () => {
    await inScope("grad", async (context) => {
      const x = context.parameter([2, 3], [1, 2, 3, 4, 5, 6]);
      const y = reshape(x, [3, 2]);
      expect(y.buffer).toBe(x.buffer);
      context.backward(slice(slice(reshape(x, [6]), 0, 4, 5), 0, 0, 1));
      expect(Array.from(await y.grad())).toEqual([0, 0, 0, 0, 1, 0]);
    });
  });

  test.each([[[4, 2]], [[-1, -1]], [[4, -1]], [[0, -1]], [[7]], [[2.5, -1]]])(
    "refuses (2, 3) to %j",
    async (shape) => {
      const message = `reshape: (2, 3) holds 6 numbers, which do not fill (${shape.join(", ")})`;
      await expectRefusal(new ShapeError(message), (context) => reshape(zeros(context, 2, 3), shape));
    },
  );

  test("refuses two open sizes, even where 1 by 1 would do", async () => {
    const error = new ShapeError("reshape: () holds 1 numbers, which do not fill (-1, -1)");
    await expectRefusal(error, (context) => reshape(zeros(context), [-1, -1]));
  });

  test("refuses sizes below 0", async () => {
    const error = new ShapeError("reshape: sizes must be whole numbers ≥ 0: got (-2, -3)");
    await expectRefusal(error, (context) => reshape(zeros(context, 2, 3), [-2, -3]));
  });
});

describe("transpose", () => {
  test.each([
    [
      [2, 3, 5],
      [2, 0, 1],
    ],
    [
      [2, 3, 5],
      [1, 0, 2],
    ],
    [
      [2, 3, 5],
      [0, 1, 2],
    ],
    [
      [2, 3, 5, 7],
      [3, 1, 0, 2],
    ],
    [
      [3, 0],
      [1, 0],
    ],
    [[3], [0]],
    [[], []],
  ])("%j in the order %j", async (shape, axes) => {
    const textbook = (x: Block) =>
      Block.build(
        axes.map((axis) => shape[axis]),
        (...index) => x.at(...shape.map((_, axis) => index[axes.indexOf(axis)])),
      );
    await checkOp({ shapes: [shape], op: (x) => transpose(x, axes), textbook });
  });

  test("exchanges the last two axes when told nothing", async () => {
    const textbook = (x: Block) => Block.build([2, 5, 3], (b, i, j) => x.at(b, j, i));
    await checkOp({ shapes: [[2, 3, 5]], op: (x) => transpose(x), textbook });
  });

  test.each([[[0]], [[0, 0]], [[0, 2]], [[-1, 0]], [[0, 0.5]], [[0, 1, 2]]])(
    "refuses %j for two axes",
    async (axes) => {
      const list = `(${axes.join(", ")})`;
      const error = new ShapeError(`transpose: axes must name each axis of (2, 3) once, 0 to 1: got ${list}`);
      await expectRefusal(error, (context) => transpose(zeros(context, 2, 3), axes));
    },
  );
});

describe("slice", () => {
  test.each([
    [[5, 3], 0, 1, 4, 0],
    [[5, 3], 1, 0, 2, 1],
    [[2, 7, 3], 1, 2, 7, 1],
    [[2, 3, 7], -1, 3, 5, 2],
    [[5, 3], 0, 0, 5, 0],
    [[5, 3], 0, 2, 2, 0],
  ])("%j, axis %i, %i to %i", async (shape, axis, start, end, at) => {
    const textbook = (x: Block) =>
      Block.build(shape.with(at, end - start), (...index) => x.at(...index.with(at, index[at] + start)));
    await checkOp({ shapes: [shape], op: (x) => slice(x, axis, start, end), textbook });
  });

  test.each([
    [-1, 2],
    [0, 4],
    [2, 1],
    [0.5, 2],
  ])("refuses %d to %d of a size of 3", async (start, end) => {
    const error = new ShapeError(`slice: axis 1 of (2, 3) has 0 ≤ start ≤ end ≤ 3: got ${start} to ${end}`);
    await expectRefusal(error, (context) => slice(zeros(context, 2, 3), 1, start, end));
  });
});

describe("concatenate", () => {
  test.each([
    [
      [
        [2, 3],
        [5, 3],
      ],
      0,
      0,
    ],
    [
      [
        [2, 3],
        [2, 1],
        [2, 5],
      ],
      1,
      1,
    ],
    [
      [
        [2, 3, 5],
        [2, 7, 5],
      ],
      -2,
      1,
    ],
    [
      [
        [2, 3],
        [0, 3],
      ],
      0,
      0,
    ],
    [[[2, 3]], 0, 0],
  ])("%j along axis %i", async (shapes, axis, at) => {
    const shape = shapes[0].with(
      at,
      shapes.reduce((sum, each) => sum + each[at], 0),
    );
    const textbook = (...blocks: Block[]) =>
      Block.build(shape, (...index) => {
        let place = index[at];
        let i = 0;
        while (place >= blocks[i].shape[at]) place -= blocks[i++].shape[at];
        // An index, not a broadcast one: sizes of 1 are looked up at 0 either way.
        return blocks[i].at(...index.with(at, place));
      });
    await checkOp({ shapes, op: (...parts) => concatenate(parts, axis), textbook });
  });

  test("one tensor twice", async () => {
    const textbook = (x: Block) => Block.build([2, 6], (i, j) => x.at(i, j % 3));
    await checkOp({ shapes: [[2, 3]], op: (x) => concatenate([x, x], 1), textbook });
  });

  test("refuses nothing, and other axes that differ", async () => {
    const none = new ShapeError("concatenate: needs at least one tensor: got none");
    await expectRefusal(none, () => concatenate([], 0));
    const message = "concatenate: only axis 1 may differ: got (2, 3) and (5, 3)";
    await expectRefusal(new ShapeError(message), (context) =>
      concatenate([zeros(context, 2, 3), zeros(context, 5, 3)], 1),
    );
    await inScope("no-grad", (context) => {
      const parts = [zeros(context, 2), doubleContext().persistent([3])];
      expect(() => concatenate(parts, 0)).toThrow(TensorError);
    });
  });
});

describe("broadcastTo", () => {
  test.each([
    [[3], [2, 3]],
    [
      [3, 1],
      [2, 3, 5],
    ],
    [
      [1, 3, 1, 2],
      [5, 3, 7, 2],
    ],
    [[], [2, 3]],
    [
      [1, 3],
      [1, 1, 3],
    ],
    [
      [1, 3],
      [0, 3],
    ],
  ])("%j to %j", async (from, to) => {
    const textbook = (x: Block) => Block.build(to, (...index) => x.at(...index));
    await checkOp({ shapes: [from], op: (x) => broadcastTo(x, to), textbook });
  });

  test("gives x itself when there is nothing to stretch", async () => {
    await inScope("grad", (context) => {
      const x = context.parameter([2, 3], new Float64Array(6));
      expect(broadcastTo(x, [2, 3])).toBe(x);
    });
  });

  test("does not shrink", async () => {
    const error = new ShapeError("broadcastTo: (2, 3) cannot be stretched to (1, 3)");
    await expectRefusal(error, (context) => broadcastTo(zeros(context, 2, 3), [1, 3]));
  });
});
