/** The loss of logits in chunks: the textbook's numbers, the bits of the separate ops, and the memory of one chunk. */
import { describe, expect, it } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import type { Tensor } from "../../../src/autograd/tensor.ts";
import { ShapeError, TokenError } from "../../../src/errors.ts";
import { crossEntropy, IGNORED } from "../../../src/ops/cross-entropy.ts";
import { linearCrossEntropy } from "../../../src/ops/fused/linear-cross-entropy.ts";
import { linear } from "../../../src/ops/linear.ts";
import { scale } from "../../../src/ops/scale.ts";
import { softCap } from "../../../src/ops/soft-cap.ts";
import { backends } from "../../support/backends.ts";
import { Block, sumOver } from "../../support/block.ts";
import { checkOp, expectClose } from "../../support/check-op.ts";
import { countingBackend, inScope } from "../../support/contexts.ts";

const [C, V] = [3, 7];
const full = [6, 0, 1, 1, 5];
const partial = [6, IGNORED, IGNORED, 1, IGNORED];
const none = full.map(() => IGNORED);

/** The mean of −ln softmax(cap(x·W))[target] over the targets that count. */
function textbook(x: Block, w: Block, targets: readonly number[], cap: number): Block {
  const losses = targets.flatMap((target, row) => {
    if (target === IGNORED) return [];
    const logit = (j: number) => {
      const z = sumOver(C, (k) => x.values[row * C + k] * w.at(k, j));
      return cap === 0 ? z : cap * Math.tanh(z / cap);
    };
    return [Math.log(sumOver(V, (j) => Math.exp(logit(j)))) - logit(target)];
  });
  return new Block([], [losses.length === 0 ? 0 : sumOver(losses.length, (i) => losses[i]) / losses.length]);
}

describe("linearCrossEntropy", () => {
  it.each([
    [[5, C], full, 0, 2],
    [[5, C], full, 1.5, 2],
    [[5, C], partial, 0, 2],
    [[5, C], none, 0, 5],
    [[1, 5, C], full, 0, 1],
    [[1, 5, C], full, 0.7, 9],
    [[0, C], [], 0, 1],
  ])("of x %j at %j, cap %d, %i rows at a time", async (shape, targets, cap, chunkRows) => {
    await checkOp({
      shapes: [shape, [C, V]],
      op: (x, w) => linearCrossEntropy(x, w, targets, { cap, chunkRows }),
      textbook: (x, w) => textbook(x, w, targets, cap),
    });
  });

  describe.each(backends)("on %s", (name, open) => {
    const rows = 13;
    const some = Array.from({ length: rows }, (_, i) => (i % 3 === 1 ? IGNORED : (5 * i) % V));
    const all = some.map((id) => Math.abs(id));

    /** The loss and the gradients of x and W. */
    async function run(layout: "in-out" | "out-in", lossOf: (x: Tensor, w: Tensor) => Tensor) {
      const backend = await open();
      const context = new Context(backend);
      const x = context.parameter(
        [rows, C],
        Block.random([rows, C], "x", (random) => 3 * random.normal()).values,
      );
      const wShape = layout === "in-out" ? [C, V] : [V, C];
      const w = context.parameter(wShape, Block.random(wShape, "w").values);
      const loss = await context.scope("grad", () => {
        const y = lossOf(x, w);
        y.backward();
        return y.read();
      });
      const results = [loss, await x.grad(), await w.grad()];
      await backend.close();
      return results;
    }

    it.each([1, 2, 4, 5, 13, 20])(
      "has the bits of the separate ops, %i rows at a time",
      async (chunkRows) => {
        for (const layout of ["in-out", "out-in"] as const) {
          for (const [targets, cap] of [
            [all, 0] as const,
            [some, 0] as const,
            [all, 2] as const,
            [some, 2] as const,
          ]) {
            const found = await run(layout, (x, w) =>
              linearCrossEntropy(x, w, targets, { layout, cap, chunkRows }),
            );
            const separate = await run(layout, (x, w) => {
              const logits = linear(x, w, null, layout);
              return crossEntropy(cap === 0 ? logits : softCap(logits, cap), targets);
            });
            if (name !== "reference, single") expect(found).toEqual(separate);
            // That one adds a chunk in double precision and rounds the sum, so W's gradient is rounded once per chunk.
            expect(found.slice(0, 2)).toEqual(separate.slice(0, 2));
            expectClose(found[2], separate[2], 1e-6);
            expect(found[2].every((value) => value !== 0)).toBe(true);
          }
        }
      },
    );

    it("multiplies the gradients by that of the loss", async () => {
      const twice = await run("in-out", (x, w) => scale(linearCrossEntropy(x, w, all, { chunkRows: 4 }), 2));
      const once = await run("in-out", (x, w) => linearCrossEntropy(x, w, all, { chunkRows: 4 }));
      for (const i of [1, 2]) expect(twice[i]).toEqual(once[i].map((value) => 2 * value));
    });
  });

  it("holds the logits of one chunk, once", async () => {
    const [rows, columns] = [64, 101];
    const peakOf = async (chunkRows: number) => {
      const { backend, memory } = countingBackend();
      const context = new Context(backend);
      const x = context.parameter([rows, C], new Float64Array(rows * C));
      const w = context.parameter([C, columns], new Float64Array(C * columns));
      await context.scope("grad", () => {
        linearCrossEntropy(x, w, new Int32Array(rows), { chunkRows }).backward();
      });
      return memory.peak;
    };
    // Besides the logits: a handful of numbers for each row.
    expect((await peakOf(64)) - (await peakOf(4))).toBeLessThan(60 * columns + 10 * rows);
    expect((await peakOf(64)) - (await peakOf(4))).toBeGreaterThan(60 * columns - 10 * rows);
  });

  it("rejects sizes that do not fit, and targets outside the vocabulary", async () => {
    await inScope("no-grad", (context) => {
      const [x, w] = [context.persistent([5, C]), context.persistent([C, V])];
      expect(() => linearCrossEntropy(x, context.persistent([C + 1, V]), full, { chunkRows: 2 })).toThrow(
        ShapeError,
      );
      expect(() => linearCrossEntropy(x, w, [0, 1], { chunkRows: 2 })).toThrow(
        "linearCrossEntropy: needs one target for each of the 5 rows",
      );
      expect(() => linearCrossEntropy(x, w, [0, 1, 2, 3, V], { chunkRows: 2 })).toThrow(TokenError);
    });
  });
});
