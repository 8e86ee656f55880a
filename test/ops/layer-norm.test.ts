import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { ShapeError } from "../../src/errors.ts";
import { layerNorm } from "../../src/ops/layer-norm.ts";
import { Block, sumOver } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { inScope } from "../support/contexts.ts";

/** (x − mean) / √(variance + ε)·weight + bias for each row of the last axis. */
function textbookNorm(x: Block, weight: Block | null, bias: Block | null, epsilon = 1e-5): Block {
  const channels = x.shape[x.shape.length - 1];
  return Block.build(x.shape, (...index) => {
    const channel = index[index.length - 1];
    const row = (c: number) => x.at(...index.with(-1, c));
    const mean = sumOver(channels, row) / channels;
    const variance = sumOver(channels, (c) => (row(c) - mean) * (row(c) - mean)) / channels;
    const normalized = (row(channel) - mean) / Math.sqrt(variance + epsilon);
    return normalized * (weight?.at(channel) ?? 1) + (bias?.at(channel) ?? 0);
  });
}

describe("layerNorm", () => {
  test.each([[[5]], [[3, 5]], [[2, 3, 5]], [[3, 1]], [[0, 5]]])("of %j", async (shape) => {
    const [channels] = shape.slice(-1);
    await checkOp({
      shapes: [shape, [channels], [channels]],
      op: (x, weight, bias) => layerNorm(x, weight, bias),
      textbook: (x, weight, bias) => textbookNorm(x, weight, bias),
    });
  });

  test("without a weight, without a bias, without both", async () => {
    const shape = [2, 3, 5];
    await checkOp({
      shapes: [shape, [5]],
      op: (x, weight) => layerNorm(x, weight, null),
      textbook: (x, weight) => textbookNorm(x, weight, null),
    });
    await checkOp({
      shapes: [shape, [5]],
      op: (x, bias) => layerNorm(x, null, bias),
      textbook: (x, bias) => textbookNorm(x, null, bias),
    });
    await checkOp({
      shapes: [shape],
      op: (x) => layerNorm(x, null, null),
      textbook: (x) => textbookNorm(x, null, null),
    });
  });

  test("with another ε", async () => {
    await checkOp({
      shapes: [[2, 5]],
      op: (x) => layerNorm(x, null, null, 0.5),
      textbook: (x) => textbookNorm(x, null, null, 0.5),
    });
  });

  test.each<[string, (x: Tensor) => Tensor, (x: Block) => Block]>([
    ["its weight and its bias", (x) => layerNorm(x, x, x), (x) => textbookNorm(x, x, x)],
    ["its weight", (x) => layerNorm(x, x, null), (x) => textbookNorm(x, x, null)],
    ["its bias", (x) => layerNorm(x, null, x), (x) => textbookNorm(x, null, x)],
  ])("x is %s", async (_, op, textbook) => {
    await checkOp({ shapes: [[5]], op, textbook });
  });

  test("weight and bias may be the same tensor", async () => {
    await checkOp({
      shapes: [[3, 5], [5]],
      op: (x, both) => layerNorm(x, both, both),
      textbook: (x, both) => textbookNorm(x, both, both),
    });
  });

  test("a constant row stays finite, and becomes the bias", async () => {
    await inScope("no-grad", async (context) => {
      const y = layerNorm(context.constant([1, 3], [7, 7, 7]), null, context.constant([3], [1, 2, 3]));
      expect(Array.from(await y.read())).toEqual([1, 2, 3]);
    });
  });

  test.each([
    [[2, 5], [3], [5]],
    [[2, 5], [5], [2]],
    [[], [1], [1]],
  ])("rejects %j, %j, %j", async (...shapes) => {
    await inScope("no-grad", (context) => {
      const [x, weight, bias] = shapes.map((shape) => context.persistent(shape));
      const found = shapes.map((shape) => `(${shape.join(", ")})`).join(", ");
      const message = `layerNorm: needs x (…, C), weight (C) and bias (C): got ${found}`;
      expect(() => layerNorm(x, weight, bias)).toThrow(new ShapeError(message));
    });
  });
});
