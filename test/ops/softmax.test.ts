/** softmax, logSoftmax and maskedAdd. */
import { describe, expect, test } from "vitest";
import { ShapeError, TensorError } from "../../src/errors.ts";
import { logSoftmax } from "../../src/ops/log-softmax.ts";
import { maskedAdd } from "../../src/ops/masked-add.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { softmax } from "../../src/ops/softmax.ts";
import { sum } from "../../src/ops/sum.ts";
import { Block, sumOver } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { doubleContext, inScope } from "../support/contexts.ts";

const { NEGATIVE_INFINITY } = Number;

/** exp(x[…, s]) / Σ exp(x[…, ·]) over the keys that `sees` allows, 0 elsewhere. */
function textbookSoftmax(x: Block, sees: (query: number, key: number) => boolean): Block {
  const keys = x.shape[x.shape.length - 1];
  return Block.build(x.shape, (...index) => {
    const [query, key] = [index.at(-2) ?? 0, index[index.length - 1]];
    const power = (s: number) => (sees(query, s) ? Math.exp(x.at(...index.slice(0, -1), s)) : 0);
    return power(key) / sumOver(keys, power);
  });
}

describe("softmax", () => {
  test.each([[[5]], [[3, 5]], [[2, 3, 5]], [[2, 7, 3, 5]], [[0, 3]], [[3, 1]]])("of %j", async (shape) => {
    await checkOp({
      shapes: [shape],
      op: (x) => softmax(x),
      textbook: (x) => textbookSoftmax(x, () => true),
    });
  });

  test.each([[[5, 5]], [[3, 5]], [[2, 3, 7]], [[2, 3, 5, 5]], [[1, 7]], [[1, 1]]])(
    "causal, of %j",
    async (shape) => {
      const [queries, keys] = shape.slice(-2);
      const textbook = (x: Block) => textbookSoftmax(x, (query, key) => key <= keys - queries + query);
      await checkOp({ shapes: [shape], op: (x) => softmax(x, "causal"), textbook });
    },
  );

  test("hidden entries are exactly 0 and visible ones sum to 1", async () => {
    await inScope("no-grad", async (context) => {
      const x = context.constant([3, 3], Block.random([3, 3], "scores").values);
      const y = await softmax(x, "causal").read();
      expect([y[1], y[2], y[5]]).toEqual([0, 0, 0]);
      for (const row of [0, 1, 2]) expect(y[3 * row] + y[3 * row + 1] + y[3 * row + 2]).toBeCloseTo(1, 14);
    });
  });

  test("scores of any size do not overflow", async () => {
    await inScope("no-grad", async (context) => {
      const y = softmax(context.constant([2, 2], [1e300, 1e300, -1e300, 1e300]));
      expect(Array.from(await y.read())).toEqual([0.5, 0.5, 0, 1]);
    });
  });

  test("a row that sees nothing but −∞ is 0, and so is its gradient", async () => {
    const context = doubleContext();
    const x = context.parameter([2, 2], [NEGATIVE_INFINITY, NEGATIVE_INFINITY, 1, NEGATIVE_INFINITY]);
    await context.scope("grad", async () => {
      const y = softmax(x);
      expect(Array.from(await y.read())).toEqual([0, 0, 1, 0]);
      context.backward(sum(multiply(y, context.constant([2, 2], [2, 3, 5, 7]))));
    });
    expect(Array.from(await x.grad(), Math.abs)).toEqual([0, 0, 0, 0]);
  });

  test("refuses a single number, and more queries than keys", async () => {
    await inScope("no-grad", (context) => {
      const scalar = new ShapeError("softmax: needs at least one axis: got ()");
      expect(() => softmax(context.persistent([]))).toThrow(scalar);
      const tall = new ShapeError("softmax: causal needs keys ≥ queries: got 5 queries over 3 keys");
      expect(() => softmax(context.persistent([2, 5, 3]), "causal")).toThrow(tall);
    });
  });
});

describe("logSoftmax", () => {
  test.each([[[5]], [[3, 5]], [[2, 3, 5]], [[0, 3]]])("of %j", async (shape) => {
    const textbook = (x: Block) => {
      const { values } = textbookSoftmax(x, () => true);
      return new Block(shape, values.map(Math.log));
    };
    await checkOp({ shapes: [shape], op: logSoftmax, textbook });
  });

  test("keeps its digits where the softmax has none", async () => {
    await inScope("no-grad", async (context) => {
      const y = logSoftmax(context.constant([3], [0, -2000, 1000]));
      expect(Array.from(await y.read())).toEqual([-1000, -3000, 0]);
    });
  });

  test("refuses a single number", async () => {
    await inScope("no-grad", (context) => {
      const error = new ShapeError("logSoftmax: needs at least one axis: got ()");
      expect(() => logSoftmax(context.persistent([]))).toThrow(error);
    });
  });
});

describe("maskedAdd", () => {
  test("−∞ before the softmax hides a key; the others share its weight", async () => {
    const hidden = [0, NEGATIVE_INFINITY, 0, 0, 0, NEGATIVE_INFINITY];
    await checkOp({
      shapes: [[5, 2, 3]],
      op: (x) => softmax(maskedAdd(x, x.context.constant([2, 3], hidden))),
      textbook: (x) => textbookSoftmax(x, (query, key) => hidden[3 * query + key] === 0),
    });
  });

  test("either operand may be stretched", async () => {
    const mask = [1, 2, 3, 4, 5, 6];
    await checkOp({
      shapes: [[3]],
      op: (x) => maskedAdd(x, x.context.constant([2, 1, 3], mask)),
      textbook: (x) => Block.build([2, 1, 3], (i, _, j) => x.at(j) + mask[3 * i + j]),
    });
  });

  test("refuses a mask that needs a gradient", async () => {
    await inScope("grad", (context) => {
      const x = context.parameter([3], [1, 2, 3]);
      const error = new TensorError("maskedAdd: a mask of 0 and −∞ cannot need a gradient");
      expect(() => maskedAdd(context.persistent([3]), x)).toThrow(error);
    });
  });

  test("refuses shapes that do not broadcast", async () => {
    await inScope("no-grad", (context) => {
      expect(() => maskedAdd(context.persistent([3]), context.persistent([5]))).toThrow(ShapeError);
    });
  });
});
