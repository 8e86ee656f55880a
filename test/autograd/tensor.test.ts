/** Reading tensors and gradients, views, and the two ways to write a gradient. */
import { describe, expect, test } from "vitest";
import { TensorError } from "../../src/errors.ts";
import { exp } from "../../src/ops/exp.ts";
import { doubleContext, inScope } from "../support/contexts.ts";

describe("Tensor", () => {
  test("knows its size and gives copies of its numbers", async () => {
    const x = doubleContext().parameter([2, 3], [1, 2, 3, 4, 5, 6]);
    expect(x.size).toBe(6);
    const copy = await x.read();
    copy.fill(0);
    expect(Array.from(await x.read())).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("item reads one number and refuses more", async () => {
    await inScope("forget", async (context) => {
      expect(await context.constant([1, 1], [7]).item()).toBe(7);
      const message = "item: the tensor must hold one number: got (2)";
      await expect(context.constant([2], [1, 2]).item()).rejects.toThrow(new TensorError(message));
    });
  });

  test("a gradient that never arrived reads as zeros, and as null", async () => {
    const x = doubleContext().parameter([3], [1, 2, 3]);
    expect(x.gradient).toBeNull();
    expect(Array.from(await x.readGradient())).toEqual([0, 0, 0]);
  });

  test("a view shares numbers, gradient and end of life", async () => {
    const x = doubleContext().parameter([2, 3], [1, 2, 3, 4, 5, 6]);
    const view = x.view([3, 2]);
    expect(view.storage).toBe(x.storage);
    x.context.backend.fill(view.gradientSink().span, 5);
    expect(Array.from(await x.readGradient())).toEqual([5, 5, 5, 5, 5, 5]);
    view.free();
    expect(() => x.span).toThrow(TensorError);
    expect(() => x.gradientSink()).toThrow(TensorError);
    expect(x.gradient).toBeNull();
  });
});

describe("a gradient", () => {
  test("is replaced by its first writer and added to by later ones", () => {
    const x = doubleContext().parameter([3], [1, 2, 3]);
    const first = x.gradientSink();
    expect(first.accumulate).toBe(false);
    expect(x.gradientSink()).toEqual({ span: first.span, accumulate: true });
    x.storage.clearGradient();
    expect(x.gradientSink()).toEqual({ span: first.span, accumulate: false });
  });

  test("starts from zeros for writers that only add, also after it was cleared", async () => {
    const x = doubleContext().parameter([2], [1, 2]);
    const { backend } = x.context;
    const span = x.gradientToAddTo();
    expect(Array.from(await backend.read(span))).toEqual([0, 0]);
    backend.write(span, [7, 7]);
    expect(Array.from(await backend.read(x.gradientToAddTo()))).toEqual([7, 7]);
    x.storage.clearGradient();
    expect(Array.from(await backend.read(x.gradientToAddTo()))).toEqual([0, 0]);
  });

  test("is kept by parameters, and needed by what ops make of them", async () => {
    await inScope("record", (context) => {
      expect(context.parameter([], [1]).needsGradient).toBe(true);
      expect(context.hold([]).needsGradient).toBe(false);
      expect(context.constant([], [1]).needsGradient).toBe(false);
      expect(exp(context.parameter([], [1])).needsGradient).toBe(true);
      expect(exp(context.constant([], [1])).needsGradient).toBe(false);
    });
  });
});
