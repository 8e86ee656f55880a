import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { ShapeError, TokenError } from "../../src/errors.ts";
import { crossEntropy, IGNORED } from "../../src/ops/cross-entropy.ts";
import { logSoftmax } from "../../src/ops/log-softmax.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../support/backends.ts";
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
    await inScope("no-grad", async (context) => {
      const logits = context.constant([2, 2], [1e4, 0, 0, 1e4]);
      expect(await crossEntropy(logits, [1, 1]).item()).toBe(5000);
    });
  });

  test("is −logSoftmax at the target", async () => {
    await inScope("no-grad", async (context) => {
      const logits = context.constant([1, 5], Block.random([5], "logits").values);
      const logs = await logSoftmax(logits).read();
      expectClose([await crossEntropy(logits, [3]).item()], [-logs[3]], 1e-14);
    });
  });

  test("an ignored row receives exactly 0", async () => {
    const context = doubleContext();
    const logits = context.parameter([2, 3], [1, 2, 3, 4, 5, 6]);
    await context.scope("grad", () => context.backward(crossEntropy(logits, [IGNORED, 1])));
    const gradient = await logits.grad();
    expect(Array.from(gradient.slice(0, 3))).toEqual([0, 0, 0]);
    expect(gradient.slice(3).every((g) => g !== 0)).toBe(true);
  });

  test.each(backends)(
    "on %s, ignored rows leave no trace in any bit, wherever they stand",
    async (_, open) => {
      const classes = 5;
      const context = new Context(await open());
      const lossOf = async (logits: ArrayLike<number>, targets: readonly number[]) => {
        const x = context.parameter([targets.length, classes], logits);
        const loss = await context.scope("grad", () => {
          const y = crossEntropy(x, targets);
          context.backward(y);
          return y.item();
        });
        const gradient = await x.grad();
        x.free();
        return { loss, gradient };
      };
      await fc.assert(
        fc.asyncProperty(fc.nat(1e6), fc.integer({ min: 0, max: 70 }), async (seed, rows) => {
          const random = Random.of(seed);
          const targets = Array.from({ length: rows }, () =>
            random.below(3) === 0 ? IGNORED : random.below(classes),
          );
          const logits = Array.from({ length: rows * classes }, () => 3 * random.normal());
          const counted = targets.flatMap((target, row) => (target === IGNORED ? [] : [row]));
          const rowsOf = (values: ArrayLike<number>) =>
            counted.flatMap((row) => Array.from({ length: classes }, (_, j) => values[row * classes + j]));
          // What an ignored row holds is nobody's business.
          const wild = logits.map((x, i) => (targets[Math.floor(i / classes)] === IGNORED ? Number.NaN : x));
          const alone = await lossOf(
            rowsOf(logits),
            counted.map((row) => targets[row]),
          );
          const among = await lossOf(wild, targets);
          expect(among.loss).toBe(alone.loss);
          expect(rowsOf(among.gradient)).toEqual(Array.from(alone.gradient));
        }),
        { numRuns: 60 },
      );
      context.close();
      await context.backend.close();
    },
  );

  test.each([5, -2, 1.5])("refuses target %d of 5", async (target) => {
    await inScope("no-grad", (context) => {
      const error = new TokenError(`crossEntropy: ids must be whole numbers in -1 … 4: got ${target} at 1`);
      expect(() => crossEntropy(context.persistent([2, 5]), [0, target])).toThrow(error);
    });
  });

  test("refuses another number of targets than rows, and a single number", async () => {
    await inScope("no-grad", (context) => {
      const message = "crossEntropy: needs one target for each of the 6 rows of (2, 3, 5): got 5";
      expect(() => crossEntropy(context.persistent([2, 3, 5]), [0, 0, 0, 0, 0])).toThrow(
        new ShapeError(message),
      );
      expect(() => crossEntropy(context.persistent([]), [0])).toThrow(ShapeError);
    });
  });
});
