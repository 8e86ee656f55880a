/** sum, mean and max, over each axis and over all. */
import { describe, expect, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { max } from "../../src/ops/max.ts";
import { mean, sum } from "../../src/ops/sum.ts";
import { Block, indicesOf } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { inScope } from "../support/contexts.ts";

const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

const reductions = [
  { name: "sum", op: sum, formula: total },
  { name: "mean", op: mean, formula: (values: readonly number[]) => total(values) / values.length },
  { name: "max", op: max, formula: (values: readonly number[]) => Math.max(...values) },
];

/** What is left of x when the values along one axis, or all of them, become one. */
function reduced(x: Block, axis: number | undefined, formula: (values: number[]) => number): Block {
  if (axis === undefined) return new Block([], [formula(Array.from(x.values))]);
  const shape = x.shape.toSpliced(axis, 1);
  return Block.build(shape, (...index) => {
    const line = indicesOf([x.shape[axis]]).map(([a]) => x.at(...index.toSpliced(axis, 0, a)));
    return formula(line);
  });
}

describe.each(reductions)("$name", ({ name, op, formula }) => {
  test.each([
    [[2, 3, 5], 0, 0],
    [[2, 3, 5], 1, 1],
    [[2, 3, 5], 2, 2],
    [[2, 3, 5], -1, 2],
    [[2, 3, 5], -3, 0],
    [[7], 0, 0],
    [[2, 1, 5], 1, 1],
    [[3, 0, 2], 2, 2],
  ])("of %j over axis %i", async (shape, axis, at) => {
    const textbook = (x: Block) => reduced(x, at, formula);
    await checkOp({ shapes: [shape], op: (x) => op(x, axis), textbook });
  });

  test.each([[[2, 3, 5]], [[]]])("of all of %j", async (shape) => {
    await checkOp({ shapes: [shape], op: (x) => op(x), textbook: (x) => reduced(x, undefined, formula) });
  });

  test.each([2, -3, 0.5])("refuses axis %d of (2, 3)", async (axis) => {
    await inScope("no-grad", (context) => {
      const x = context.constant([2, 3], new Float64Array(6));
      const message = `${name}: (2, 3) has 2 axes: there is no axis ${axis}`;
      expect(() => op(x, axis)).toThrow(new ShapeError(message));
    });
  });
});

test("the sum over an empty axis is 0", async () => {
  const textbook = () => new Block([2, 3], new Float64Array(6));
  await checkOp({ shapes: [[2, 0, 3]], op: (x) => sum(x, 1), textbook });
});

test("the maximum over an empty axis is refused", async () => {
  await inScope("no-grad", (context) => {
    const message = "max: the axis is empty: got (2, 0)";
    expect(() => max(context.constant([2, 0], []), 1)).toThrow(new ShapeError(message));
  });
});

test("of equal maxima the first receives the gradient", async () => {
  await inScope("grad", async (context) => {
    const x = context.parameter([2, 3], [1, 5, 5, 7, 7, 7]);
    context.backward(sum(max(x, 1)));
    expect(Array.from(await x.grad())).toEqual([0, 1, 0, 1, 0, 0]);
  });
});

test("NaN is greater than everything", async () => {
  await inScope("no-grad", async (context) => {
    expect(await max(context.constant([3], [1, Number.NaN, 2])).item()).toBeNaN();
  });
});
