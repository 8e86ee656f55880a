/** Backward: where it starts, what it fills in, what it refuses. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { TensorError } from "../../src/errors.ts";
import { add } from "../../src/ops/add.ts";
import { layerNorm } from "../../src/ops/layer-norm.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { reshape } from "../../src/ops/reshape.ts";
import { scale } from "../../src/ops/scale.ts";
import { sum } from "../../src/ops/sum.ts";
import { exp } from "../../src/ops/unary.ts";
import { countingBackend, doubleContext, inScope, withKernels } from "../support/contexts.ts";

async function gradientOf(tensor: Tensor): Promise<number[]> {
  return Array.from(await tensor.grad());
}

describe("backward", () => {
  test("reaches a tensor by every way: y = x² + 3x + x·x·x", async () => {
    const context = doubleContext();
    const x = context.parameter([2], [2, -1]);
    await context.scope("grad", () => {
      const square = multiply(x, x);
      context.backward(sum(add(add(square, scale(x, 3)), multiply(square, x))));
    });
    // 2x + 3 + 3x²
    expect(await gradientOf(x)).toEqual([19, 4]);
  });

  test("adds to gradients of earlier scopes until they are cleared", async () => {
    const context = doubleContext();
    const x = context.parameter([2], [3, 5]);
    const step = () => context.scope("grad", () => context.backward(sum(multiply(x, x))));
    await step();
    await step();
    expect(await gradientOf(x)).toEqual([12, 20]);
    const memory = x.gradient;
    x.storage.clearGradient();
    expect(x.gradient).toBeNull();
    await step();
    expect(await gradientOf(x)).toEqual([6, 10]);
    expect(x.gradient, "the memory of the gradient is used again").toBe(memory);
  });

  test("two losses on one scope add up when each is differentiated as it is made", async () => {
    const context = doubleContext();
    const x = context.parameter([], [3]);
    await context.scope("grad", () => {
      context.backward(multiply(x, x));
      context.backward(scale(x, 5));
    });
    expect(await gradientOf(x)).toEqual([11]);
  });

  test("starts at any tensor of one number, whatever its axes", async () => {
    const context = doubleContext();
    const x = context.parameter([1, 1, 1], [3]);
    await context.scope("grad", () => context.backward(reshape(multiply(x, x), [1])));
    expect(await gradientOf(x)).toEqual([6]);
  });

  test("what does not lead to the root receives nothing", async () => {
    const context = doubleContext();
    const [x, other] = [context.parameter([], [3]), context.parameter([], [5])];
    await context.scope("grad", () => {
      const root = exp(scale(x, 0));
      exp(other);
      context.backward(root);
    });
    expect(other.gradient).toBeNull();
    expect(await gradientOf(other)).toEqual([0]);
  });

  test("nothing is recorded behind a constant", async () => {
    const context = doubleContext();
    const x = context.parameter([], [3]);
    await context.scope("grad", async () => {
      const constant = context.constant([], [5]);
      context.backward(multiply(exp(constant), x));
      expect(constant.gradient).toBeNull();
    });
    expect((await gradientOf(x))[0]).toBeCloseTo(Math.exp(5), 10);
  });

  test("the root's value can still be read, what lies before it is used up", async () => {
    await inScope("grad", async (context) => {
      const x = context.parameter([2], [1, 2]);
      const middle = multiply(x, x);
      const root = sum(middle);
      context.backward(root);
      expect(await root.item()).toBe(5);
      const why = "backward has used it up; read it before backward, or compute it again";
      expect(() => middle.buffer).toThrow(
        new TensorError(`a tensor of 2 numbers was used after it was freed: ${why}`),
      );
      expect(() => exp(middle)).toThrow(TensorError);
    });
  });

  test("is refused where it cannot start", async () => {
    await inScope("grad", (context) => {
      const x = context.parameter([2, 3], [1, 2, 3, 4, 5, 6]);
      expect(() => context.backward(exp(x))).toThrow(
        new TensorError("backward: starts at a single number: got (2, 3); sum it first"),
      );
      const nothing = new TensorError(
        "backward: nothing that this number was computed from needs a gradient",
      );
      expect(() => context.backward(sum(context.constant([2], [1, 2])))).toThrow(nothing);
      expect(() => context.backward(context.parameter([], [1]))).toThrow(nothing);
      const root = sum(x);
      context.backward(root);
      const again = new TensorError(
        "backward: ran already over this tape, which is used up; compute the loss again first",
      );
      expect(() => context.backward(root)).toThrow(again);
    });
  });

  test("a second loss over a tape that is used up is refused too", async () => {
    await inScope("grad", (context) => {
      const x = context.parameter([], [3]);
      const [one, two] = [exp(x), scale(x, 2)];
      context.backward(two);
      expect(() => context.backward(one)).toThrow(TensorError);
    });
  });

  test("is refused where nothing was recorded", async () => {
    await inScope("no-grad", (context) => {
      const x = context.parameter([], [1]);
      expect(() => context.backward(exp(x))).toThrow(TensorError);
    });
  });

  test("walks a chain of thousands of ops without recursion", async () => {
    const context = doubleContext();
    const x = context.parameter([], [1]);
    await context.scope("grad", () => {
      let y = x;
      for (let i = 0; i < 20_000; i++) y = scale(y, 1);
      context.backward(y);
    });
    expect(await gradientOf(x)).toEqual([1]);
  });

  test("when a kernel fails half way, nothing leaks", async () => {
    const { backend, memory } = countingBackend();
    let fails = true;
    const failing = withKernels(backend, {
      unaryBackward(...call) {
        if (fails) throw new RangeError("the kernel failed");
        new ReferenceBackend("double").unaryBackward(...call);
      },
    });
    const context = new Context(failing);
    const x = context.parameter([2, 3], [1, 2, 3, 4, 5, 6]);
    const step = () => {
      // layerNorm keeps memory for a backward that is never reached.
      return context.scope("grad", () => context.backward(sum(exp(layerNorm(x, null, null)))));
    };
    await expect(step()).rejects.toThrow(new RangeError("the kernel failed"));
    expect([...memory.live]).toEqual([x.buffer]);
    fails = false;
    await step();
    expect(memory.live.size).toBe(2);
  });
});
