/** matmul and linear. */
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { ShapeError, TensorError } from "../../src/errors.ts";
import { linear } from "../../src/ops/linear.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { Block, sumOver } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { doubleContext, inScope } from "../support/contexts.ts";

/** Σ_k a[…, i, k]·b[…, k, j], with broadcast batch axes. */
function textbookProduct(batch: readonly number[], a: Block, b: Block): Block {
  const [rows, inner] = a.shape.slice(-2);
  const columns = b.shape[b.shape.length - 1];
  // `at` drops the leading indices that a shorter shape does not have.
  return Block.build([...batch, rows, columns], (...index) => {
    const [i, j] = index.slice(-2);
    const outer = index.slice(0, -2);
    return sumOver(inner, (k) => a.at(...outer, i, k) * b.at(...outer, k, j));
  });
}

describe("matmul", () => {
  test.each([
    [[2, 3], [3, 5], []],
    [[1, 1], [1, 1], []],
    [[7, 2, 3], [3, 5], [7]],
    [[2, 3], [7, 3, 5], [7]],
    [[7, 2, 3], [7, 3, 5], [7]],
    [[7, 2, 3], [1, 3, 5], [7]],
    [
      [2, 1, 3, 5],
      [7, 5, 2],
      [2, 7],
    ],
    [
      [1, 3, 5],
      [2, 1, 5, 7],
      [2, 1],
    ],
    [
      [2, 1, 3, 5],
      [5, 2],
      [2, 1],
    ],
    [[2, 0], [0, 3], []],
    [[0, 2], [2, 3], []],
    [[5, 2, 3], [5, 3, 0], [5]],
  ])("%j by %j", async (a, b, batch) => {
    await checkOp({ shapes: [a, b], op: matmul, textbook: (x, y) => textbookProduct(batch, x, y) });
  });

  test.each([[[3, 3]], [[2, 5, 5]]])("%j by itself", async (shape) => {
    const textbook = (x: Block) => textbookProduct(shape.slice(0, -2), x, x);
    await checkOp({ shapes: [shape], op: (x) => matmul(x, x), textbook });
  });

  test.each([
    [[2, 3], [5, 3], "needs (…, M, K) and (…, K, N): got (2, 3) and (5, 3)"],
    [[3], [3, 5], "needs (…, M, K) and (…, K, N): got (3) and (3, 5)"],
    [[2, 3], [3], "needs (…, M, K) and (…, K, N): got (2, 3) and (3)"],
    [
      [2, 5, 3],
      [7, 3, 5],
      "(2) and (7) do not broadcast: aligned at the last axis, sizes must be equal or one of them must be 1",
    ],
  ])("rejects %j by %j", async (a, b, message) => {
    await inScope("no-grad", (context) => {
      const [x, y] = [a, b].map((shape) => context.persistent(shape));
      expect(() => matmul(x, y)).toThrow(new ShapeError(`matmul: ${message}`));
    });
  });

  test("rejects operands of different contexts", async () => {
    await inScope("no-grad", (context) => {
      expect(() => matmul(context.persistent([2, 3]), doubleContext().persistent([3, 2]))).toThrow(
        TensorError,
      );
    });
  });
});

describe("linear", () => {
  /** x·W + b for each row. */
  const affine = (x: Block, w: (i: number, o: number) => number, outputs: number, bias?: Block) => {
    const inputs = x.shape[x.shape.length - 1];
    return Block.build([...x.shape.slice(0, -1), outputs], (...index) => {
      const [o] = index.slice(-1);
      const row = index.slice(0, -1);
      return sumOver(inputs, (i) => x.at(...row, i) * w(i, o)) + (bias?.at(o) ?? 0);
    });
  };

  test.each([[[3]], [[2, 3]], [[2, 5, 3]], [[0, 3]]])("%j with a bias", async (shape) => {
    const textbook = (x: Block, w: Block, b: Block) => affine(x, (i, o) => w.at(i, o), 7, b);
    await checkOp({ shapes: [shape, [3, 7], [7]], op: (x, w, b) => linear(x, w, b), textbook });
  });

  test("without a bias", async () => {
    const textbook = (x: Block, w: Block) => affine(x, (i, o) => w.at(i, o), 7);
    await checkOp({
      shapes: [
        [2, 5, 3],
        [3, 7],
      ],
      op: (x, w) => linear(x, w, null),
      textbook,
    });
  });

  test.each([true, false])("with the weight stored (out, in), bias: %s", async (hasBias) => {
    const textbook = (x: Block, w: Block, b?: Block) => affine(x, (i, o) => w.at(o, i), 7, b);
    const op = (x: Tensor, w: Tensor, b?: Tensor) => linear(x, w, b ?? null, "out-in");
    await checkOp({
      shapes: hasBias
        ? [[2, 5, 3], [7, 3], [7]]
        : [
            [2, 5, 3],
            [7, 3],
          ],
      op,
      textbook,
    });
  });

  test.each(["in-out", "out-in"] as const)(
    "x and weight may be the same tensor, stored %s",
    async (layout) => {
      const textbook = (x: Block) => affine(x, (i, o) => (layout === "in-out" ? x.at(i, o) : x.at(o, i)), 3);
      await checkOp({ shapes: [[3, 3]], op: (x) => linear(x, x, null, layout), textbook });
    },
  );

  test("x and bias may be the same tensor", async () => {
    const textbook = (x: Block, w: Block) => affine(x, (i, o) => w.at(i, o), 3, x);
    await checkOp({ shapes: [[3], [3, 3]], op: (x, w) => linear(x, w, x), textbook });
  });

  test.each([
    [[2, 5], [3, 7], [7]],
    [[2, 3], [3], [7]],
    [[2, 3], [3, 7], [3]],
    [[], [3, 7], [7]],
  ])("rejects %j, %j, %j", async (...shapes) => {
    await inScope("no-grad", (context) => {
      const [x, w, b] = shapes.map((shape) => context.persistent(shape));
      const found = shapes.map((shape) => `(${shape.join(", ")})`).join(", ");
      const message = `linear: needs x (…, I), a weight in-out (I, O), and a bias (O): got ${found}`;
      expect(() => linear(x, w, b)).toThrow(new ShapeError(message));
    });
  });
});
