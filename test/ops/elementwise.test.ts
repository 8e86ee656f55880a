/** add, subtract, multiply, divide: values, gradients, and every kind of broadcasting. */
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { ShapeError, TensorError } from "../../src/errors.ts";
import { add } from "../../src/ops/add.ts";
import { divide } from "../../src/ops/divide.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { subtract } from "../../src/ops/subtract.ts";
import { Block } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { doubleContext, inScope } from "../support/contexts.ts";

interface Operation {
  name: string;
  op: (a: Tensor, b: Tensor) => Tensor;
  formula: (a: number, b: number) => number;
}

const operations: Operation[] = [
  { name: "add", op: add, formula: (a, b) => a + b },
  { name: "subtract", op: subtract, formula: (a, b) => a - b },
  { name: "multiply", op: multiply, formula: (a, b) => a * b },
  { name: "divide", op: divide, formula: (a, b) => a / b },
];

/** a, b, and the shape they broadcast to. */
const arrangements: [number[], number[], number[]][] = [
  [
    [2, 3],
    [2, 3],
    [2, 3],
  ],
  [[], [], []],
  [[], [2, 3], [2, 3]],
  [[2, 3], [], [2, 3]],
  [[2, 3, 5], [5], [2, 3, 5]],
  [[5], [2, 3, 5], [2, 3, 5]],
  [
    [2, 3, 5],
    [3, 1],
    [2, 3, 5],
  ],
  [
    [2, 1, 5],
    [3, 1],
    [2, 3, 5],
  ],
  [
    [2, 1, 5],
    [1, 3, 1],
    [2, 3, 5],
  ],
  [
    [2, 1, 1, 3],
    [5, 1, 1],
    [2, 5, 1, 3],
  ],
  [
    [1, 2, 1, 3, 1],
    [5, 1, 2, 1, 2],
    [5, 2, 2, 3, 2],
  ],
  [[1, 1], [2], [1, 2]],
  [[0, 3], [3], [0, 3]],
  [
    [2, 1],
    [2, 0],
    [2, 0],
  ],
];

/** Away from 0, where quotients are too steep for finite differences. */
const draw: NonNullable<Parameters<typeof Block.random>[2]> = (random) =>
  (random.uniform() < 0.5 ? -1 : 1) * (0.5 + random.uniform());

describe.each(operations)("$name", ({ name, op, formula }) => {
  test.each(arrangements)("of %j and %j", async (a, b, shape) => {
    const textbook = (x: Block, y: Block) => Block.build(shape, (...i) => formula(x.at(...i), y.at(...i)));
    await checkOp({ shapes: [a, b], draw, op, textbook });
  });

  test("of a tensor with itself", async () => {
    const textbook = (x: Block) => Block.build([2, 3], (...i) => formula(x.at(...i), x.at(...i)));
    await checkOp({ shapes: [[2, 3]], draw, op: (x) => op(x, x), textbook });
  });

  test("rejects shapes that do not broadcast", async () => {
    await inScope("no-grad", (context) => {
      const a = context.constant([2, 3], new Float64Array(6));
      const b = context.constant([2], new Float64Array(2));
      const message = `${name}: (2, 3) and (2) do not broadcast: aligned at the last axis, sizes must be equal or one of them must be 1`;
      expect(() => op(a, b)).toThrow(new ShapeError(message));
    });
  });

  test("rejects operands of different contexts", async () => {
    await inScope("no-grad", (context) => {
      const a = context.constant([2], [1, 2]);
      const b = doubleContext().persistent([3]);
      const message = `${name}: operands (2) and (3) live on different contexts; create both on the same one`;
      expect(() => op(a, b)).toThrow(new TensorError(message));
    });
  });
});
