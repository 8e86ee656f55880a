import { describe, expect, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { rmsNorm } from "../../src/ops/rms-norm.ts";
import { Block, sumOver } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { inScope } from "../support/contexts.ts";

/** x / √(mean(x²) + ε)·weight for each row of the last axis. */
function textbookNorm(x: Block, weight: Block | null, epsilon = 1e-5): Block {
  const channels = x.shape[x.shape.length - 1];
  return Block.build(x.shape, (...index) => {
    const row = (c: number) => x.at(...index.with(-1, c));
    const squares = sumOver(channels, (c) => row(c) * row(c)) / channels;
    return (x.at(...index) / Math.sqrt(squares + epsilon)) * (weight?.at(index[index.length - 1]) ?? 1);
  });
}

describe("rmsNorm", () => {
  test.each([[[5]], [[3, 5]], [[2, 3, 5]], [[3, 1]], [[0, 5]]])("of %j", async (shape) => {
    await checkOp({
      shapes: [shape, shape.slice(-1)],
      op: (x, weight) => rmsNorm(x, weight),
      textbook: (x, weight) => textbookNorm(x, weight),
    });
  });

  test("without a weight, and with another ε", async () => {
    await checkOp({
      shapes: [[2, 3, 5]],
      op: (x) => rmsNorm(x, null),
      textbook: (x) => textbookNorm(x, null),
    });
    await checkOp({
      shapes: [[2, 5]],
      op: (x) => rmsNorm(x, null, 0.5),
      textbook: (x) => textbookNorm(x, null, 0.5),
    });
  });

  test("x and weight may be the same tensor", async () => {
    await checkOp({ shapes: [[5]], op: (x) => rmsNorm(x, x), textbook: (x) => textbookNorm(x, x) });
  });

  test("a row of zeros stays 0, and the norm of a row does not depend on its scale", async () => {
    await inScope("no-grad", async (context) => {
      const y = await rmsNorm(context.constant([2, 2], [0, 0, 3e6, -4e6]), null).read();
      expect(Array.from(y.slice(0, 2))).toEqual([0, 0]);
      expect(y[2]).toBeCloseTo(3 / Math.sqrt(12.5), 12);
      expect(y[3]).toBeCloseTo(-4 / Math.sqrt(12.5), 12);
    });
  });

  test.each([
    [[2, 5], [3]],
    [[], [1]],
  ])("rejects %j, %j", async (...shapes) => {
    await inScope("no-grad", (context) => {
      const [x, weight] = shapes.map((shape) => context.persistent(shape));
      const found = shapes.map((shape) => `(${shape.join(", ")})`).join(", ");
      const message = `rmsNorm: needs x (…, C) and weight (C): got ${found}`;
      expect(() => rmsNorm(x, weight)).toThrow(new ShapeError(message));
    });
  });
});
