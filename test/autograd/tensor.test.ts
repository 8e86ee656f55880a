/** Reading tensors and gradients, views, and the ways to write a gradient. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { ShapeError, TensorError } from "../../src/errors.ts";
import { add } from "../../src/ops/add.ts";
import { exp } from "../../src/ops/unary.ts";
import { countingBackend, doubleContext, inScope } from "../support/contexts.ts";

describe("Tensor", () => {
  test("has views of the same size only", () => {
    const x = doubleContext().parameter([2, 3], [1, 2, 3, 4, 5, 6]);
    expect(x.view([6]).shape).toEqual([6]);
    for (const shape of [[5], [2, 4], [], [0]]) {
      const message = `view: (2, 3) holds 6 numbers, which do not fill (${shape.join(", ")})`;
      expect(() => x.view(shape)).toThrow(new ShapeError(message));
    }
    expect(() => x.view([-2, -3])).toThrow("view: sizes must be whole numbers ≥ 0: got (-2, -3)");
  });

  test("has a size, and read returns copies", async () => {
    const x = doubleContext().parameter([2, 3], [1, 2, 3, 4, 5, 6]);
    expect(x.size).toBe(6);
    const copy = await x.read();
    copy.fill(0);
    expect(Array.from(await x.read())).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("item returns a single element and rejects more", async () => {
    await inScope("no-grad", async (context) => {
      expect(await context.constant([1, 1], [7]).item()).toBe(7);
      const message = "item: needs a tensor with one element: got (2)";
      await expect(context.constant([2], [1, 2]).item()).rejects.toThrow(new TensorError(message));
    });
  });

  test("a missing gradient reads as zeros, and is null for kernels", async () => {
    const x = doubleContext().parameter([3], [1, 2, 3]);
    expect(x.gradient).toBeNull();
    expect(Array.from(await x.grad())).toEqual([0, 0, 0]);
  });

  test("a view shares numbers, gradient and lifetime", async () => {
    const x = doubleContext().parameter([2, 3], [1, 2, 3, 4, 5, 6]);
    const view = x.view([3, 2]);
    expect(view.storage).toBe(x.storage);
    x.context.backend.fill(view.gradientTarget().buffer, 5);
    expect(Array.from(await x.grad())).toEqual([5, 5, 5, 5, 5, 5]);
    view.free();
    expect(() => x.buffer).toThrow(TensorError);
    expect(() => x.gradientTarget()).toThrow(TensorError);
    expect(x.gradient).toBeNull();
  });
});

describe("a gradient", () => {
  test("is replaced by the first writer and added to by later ones", () => {
    const x = doubleContext().parameter([3], [1, 2, 3]);
    const first = x.gradientTarget();
    expect(first.accumulate).toBe(false);
    expect(x.gradientTarget()).toEqual({ buffer: first.buffer, accumulate: true });
    x.storage.clearGradient();
    expect(x.gradientTarget()).toEqual({ buffer: first.buffer, accumulate: false });
  });

  test("starts from zeros for writers that only add, even after it was cleared", async () => {
    const x = doubleContext().parameter([2], [1, 2]);
    const { backend } = x.context;
    const buffer = x.zeroedGradient();
    expect(Array.from(await backend.read(buffer))).toEqual([0, 0]);
    backend.write(buffer, [7, 7]);
    expect(Array.from(await backend.read(x.zeroedGradient()))).toEqual([7, 7]);
    x.storage.clearGradient();
    expect(Array.from(await backend.read(x.zeroedGradient()))).toEqual([0, 0]);
  });

  test("is needed by parameters and by the results of ops on them", async () => {
    await inScope("grad", (context) => {
      expect(context.parameter([], [1]).needsGradient).toBe(true);
      expect(context.persistent([]).needsGradient).toBe(false);
      expect(context.constant([], [1]).needsGradient).toBe(false);
      expect(exp(context.parameter([], [1])).needsGradient).toBe(true);
      expect(exp(context.constant([], [1])).needsGradient).toBe(false);
    });
  });

  test("is shared by the operands of an add until one of them is written", async () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const [y, a, b] = [0, 1, 2].map(() => context.parameter([2], [0, 0]));
    backend.write(y.gradientTarget().buffer, [3, 5]);
    const before = memory.live.size;
    a.shareGradient(y);
    b.shareGradient(y);
    expect(memory.live.size).toBe(before);
    expect([a.gradient, b.gradient]).toEqual([y.gradient, y.gradient]);

    const target = a.gradientTarget();
    expect(target.accumulate).toBe(true);
    expect(target.buffer).not.toBe(y.gradient);
    backend.write(target.buffer, [7, 11]);
    expect(Array.from(await b.grad())).toEqual([3, 5]);

    y.free();
    expect(Array.from(await b.grad())).toEqual([3, 5]);
    // Now only b has it, so it is written in place.
    const own = b.gradient;
    expect(b.gradientTarget().buffer).toBe(own);
    a.free();
    b.free();
    expect(memory.live.size).toBe(0);
  });

  test("of an add is added to an existing one, even if both are the same", async () => {
    const context = doubleContext();
    const [y, a] = [0, 1].map(() => context.parameter([2], [0, 0]));
    const { backend } = context;
    backend.write(y.gradientTarget().buffer, [3, 5]);
    backend.write(a.gradientTarget().buffer, [1, 2]);
    a.shareGradient(y);
    expect(Array.from(await a.grad())).toEqual([4, 7]);
    a.storage.clearGradient();
    a.shareGradient(y);
    a.shareGradient(y);
    expect(Array.from(await a.grad())).toEqual([6, 10]);
    expect(Array.from(await y.grad())).toEqual([3, 5]);
  });

  test("x + x doubles what arrives", async () => {
    await inScope("grad", async (context) => {
      const x = context.parameter([], [7]);
      context.backward(add(add(x, x), x));
      expect(await x.item()).toBe(7);
      expect(Array.from(await x.grad())).toEqual([3]);
    });
  });
});
