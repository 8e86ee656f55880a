import { describe, expect, test } from "vitest";
import { ShapeError, TokenError } from "../../src/errors.ts";
import { crossEntropy, IGNORED } from "../../src/ops/cross-entropy.ts";
import { logSoftmax } from "../../src/ops/log-softmax.ts";
import { Block, sumOver } from "../support/block.ts";
import { checkOp, expectClose } from "../support/check-op.ts";
import { doubleContext, inScope } from "../support/contexts.ts";

/** The mean of −log(exp(x[target]) / Σ exp x) over the rows whose target counts. */
function textbookLoss(logits: Block, targets: readonly number[]): Block {
  const classes = logits.shape[logits.shape.length - 1];
  const losses = targets.flatMap((target, row) => {
    const power = (j: number) => Math.exp(logits.values[row * classes + j]);
    return target === IGNORED ? [] : [-Math.log(power(target) / sumOver(classes, power))];
  });
  return new Block([], [losses.length === 0 ? 0 : sumOver(losses.length, (i) => losses[i]) / losses.length]);
}

describe("crossEntropy", () => {
  test.each([
    [[5], [3]],
    [
      [3, 5],
      [0, 4, 2],
    ],
    [
      [2, 3, 7],
      [6, 0, 1, 1, 5, 3],
    ],
    [
      [2, 3, 7],
      [6, IGNORED, 1, IGNORED, IGNORED, 3],
    ],
    [
      [3, 5],
      [IGNORED, IGNORED, IGNORED],
    ],
    [[0, 5], []],
  ])("of logits %j at %j", async (shape, targets) => {
    await checkOp({
      shapes: [shape],
      op: (logits) => crossEntropy(logits, targets),
      textbook: (logits) => textbookLoss(logits, targets),
    });
  });

  test("logits of any size do not overflow", async () => {
    await inScope("forget", async (context) => {
      const logits = context.constant([2, 2], [1e4, 0, 0, 1e4]);
      expect(await crossEntropy(logits, [1, 1]).item()).toBe(5000);
    });
  });

  test("is −logSoftmax at the target", async () => {
    await inScope("forget", async (context) => {
      const logits = context.constant([1, 5], Block.random([5], "logits").values);
      const logs = await logSoftmax(logits).read();
      expectClose([await crossEntropy(logits, [3]).item()], [-logs[3]], 1e-14);
    });
  });

  test("an ignored row receives exactly 0", async () => {
    const context = doubleContext();
    const logits = context.parameter([2, 3], [1, 2, 3, 4, 5, 6]);
    await context.scope("record", () => context.backward(crossEntropy(logits, [IGNORED, 1])));
    const gradient = await logits.readGradient();
    expect(Array.from(gradient.slice(0, 3))).toEqual([0, 0, 0]);
    expect(gradient.slice(3).every((g) => g !== 0)).toBe(true);
  });

  test.each([5, -2, 1.5])("refuses target %d of 5", async (target) => {
    await inScope("forget", (context) => {
      const error = new TokenError(`crossEntropy: ids must be whole numbers in -1 … 4: got ${target} at 1`);
      expect(() => crossEntropy(context.hold([2, 5]), [0, target])).toThrow(error);
    });
  });

  test("refuses another number of targets than rows, and a single number", async () => {
    await inScope("forget", (context) => {
      const message = "crossEntropy: needs one target for each of the 6 rows of (2, 3, 5): got 5";
      expect(() => crossEntropy(context.hold([2, 3, 5]), [0, 0, 0, 0, 0])).toThrow(new ShapeError(message));
      expect(() => crossEntropy(context.hold([]), [0])).toThrow(ShapeError);
    });
  });
});
