/** An op that runs its body again in backward: the numbers of the body alone, in the memory of its input and result. */
import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { add } from "../../src/ops/add.ts";
import { dropout } from "../../src/ops/dropout.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { recompute } from "../../src/ops/recompute.ts";
import { scale } from "../../src/ops/scale.ts";
import { sum } from "../../src/ops/sum.ts";
import { exp, tanh } from "../../src/ops/unary.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../support/backends.ts";
import { Block } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { countingBackend, doubleContext } from "../support/contexts.ts";
import { backwardWithCotangent } from "../support/gradient-check.ts";

describe("recompute", () => {
  it("has the numbers and gradients of its body", async () => {
    await checkOp({
      shapes: [[5, 3]],
      op: (x) => recompute(x, null, () => multiply(tanh(x), exp(x))),
      textbook: (x) =>
        new Block(
          [5, 3],
          x.values.map((value) => Math.tanh(value) * Math.exp(value)),
        ),
    });
  });

  describe.each(backends)("on %s", (_, open) => {
    /** The values of three layers, the gradients of x and W, and where the random numbers end. */
    async function run(layer: (x: Tensor, random: Random, body: Body) => Tensor) {
      const backend = await open();
      const context = new Context(backend);
      const [x, w] = [[7, 5] as const, [5, 5] as const].map((shape, i) => {
        return context.parameter(shape, Block.random(shape, `operand ${i}`).values);
      });
      const random = Random.of(7, "dropout");
      const body: Body = (x, random) => dropout(tanh(matmul(dropout(x, 0.3, random), w)), 0.3, random);
      await backwardWithCotangent(context, () => {
        let y = scale(x, 2);
        for (let i = 0; i < 3; i++) y = layer(y, random, body);
        return y;
      });
      const gradients = [await x.grad(), await w.grad()];
      await backend.close();
      return { gradients, state: random.state() };
    }
    type Body = (x: Tensor, random: Random | null) => Tensor;

    it("has the bits of its body, and drops the same elements again", async () => {
      const once = await run((x, random, body) => body(x, random));
      const again = await run((x, random, body) => recompute(x, random, (random) => body(x, random)));
      expect(again).toEqual(once);
    });
  });

  it("keeps the input and the result of the body, and the rest of one body at a time", async () => {
    const [length, layers, ops] = [1000, 7, 20];
    const peakOf = async (through: (x: Tensor, body: () => Tensor) => Tensor) => {
      const { backend, memory } = countingBackend();
      const context = new Context(backend);
      const x = context.parameter([length], new Float64Array(length));
      await context.scope("grad", () => {
        let y = x;
        for (let i = 0; i < layers; i++) {
          const input = y;
          y = through(input, () => {
            let z = input;
            for (let op = 0; op < ops; op++) z = tanh(z);
            // Constants are no outputs of ops, so backward does not free them.
            for (let i = 0; i < 3; i++) z = add(z, context.constant([length], new Float64Array(length)));
            return z;
          });
        }
        sum(y).backward();
      });
      expect(memory.live.size).toBe(2);
      return memory.peak / length;
    };
    expect(await peakOf((_, body) => body())).toBeGreaterThan(layers * ops);
    // x, a result for each layer, what one layer makes, and a few gradients.
    expect(await peakOf((x, body) => recompute(x, null, body))).toBeLessThan(layers + ops + 6 + 5);
  });

  it("runs its body once without a tape", async () => {
    const context = doubleContext();
    let runs = 0;
    await context.noGrad(() => {
      const x = context.constant([3], [1, 2, 3]);
      recompute(x, null, () => {
        runs++;
        return scale(x, 2);
      });
    });
    expect(runs).toBe(1);
  });

  it("shows the ops of its body to a watcher, forward and backward", async () => {
    const context = doubleContext();
    const x = context.parameter([2], [1, 2]);
    const seen: string[] = [];
    await context.scope("grad", () => {
      context.watch(
        ({ op, pass }) => seen.push(`${op} ${pass}`),
        () => sum(recompute(x, null, () => tanh(x))).backward(),
      );
    });
    expect(seen).toContain("tanh forward");
    expect(seen).toContain("tanh backward");
  });

  it("frees everything if its body fails when it runs again", async () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const x = context.parameter([3], [1, 2, 3]);
    let runs = 0;
    const failing = context.scope("grad", () => {
      const y = recompute(x, null, () => {
        const z = tanh(x);
        if (++runs === 2) throw new Error("no more");
        return z;
      });
      sum(y).backward();
    });
    await expect(failing).rejects.toThrow("no more");
    expect(memory.live.size).toBe(1);
  });
});
