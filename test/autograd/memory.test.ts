/** Memory over the steps of a model: no leaks, equal steps, and backward that frees as it goes. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { crossEntropy } from "../../src/ops/cross-entropy.ts";
import { scale } from "../../src/ops/scale.ts";
import { sum } from "../../src/ops/sum.ts";
import { Random } from "../../src/random.ts";
import { countingBackend } from "../support/contexts.ts";
import { randomIds, tinyModel } from "../support/models.ts";

describe.each(["textbook", "fused"] as const)("steps of a model with %s attention", (attention) => {
  test("leak nothing, and allocate the same sizes in the same order", async () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const model = tinyModel(context, { attention, dropout: 0.2 });
    const parameters = Object.values(model.parameters()).length;
    const ids = randomIds(10, 11, "input");
    const step = async (seed: number) => {
      memory.allocated.length = 0;
      await context.scope("grad", async () => {
        const logits = model.forward({ ids, batchSize: 2 }, { cache: null, random: Random.of(seed) });
        context.backward(crossEntropy(logits, randomIds(10, 11, "targets")));
      });
      for (const { storage } of Object.values(model.parameters())) storage.clearGradient();
      return memory.allocated.slice();
    };
    await step(1);
    // A value and a gradient for each parameter.
    expect(memory.live.size).toBe(2 * parameters);
    const second = await step(2);
    expect(await step(3)).toEqual(second);
    expect(memory.live.size).toBe(2 * parameters);

    await context.scope("no-grad", () => model.forward({ ids, batchSize: 2 }).read());
    expect(memory.live.size).toBe(2 * parameters);
    const cache = model.makeCache(2);
    await context.scope("no-grad", () =>
      model.forward({ ids, batchSize: 2 }, { cache, random: null }).read(),
    );
    cache.free();
    expect(memory.live.size).toBe(2 * parameters);
    context.close();
    expect(memory.live.size).toBe(0);
  });
});

test("peak memory without a tape does not depend on the number of layers", async () => {
  const peakOf = async (layers: number) => {
    const { backend, memory } = countingBackend();
    const model = tinyModel(new Context(backend), { attention: "fused", layers });
    const before = memory.current;
    memory.peak = before;
    const pass = () => model.forward({ ids: randomIds(10, 11), batchSize: 2 }).read();
    await model.context.scope("no-grad", pass);
    return { peak: memory.peak - before, dModel: model.config.dModel };
  };
  const [few, many] = [await peakOf(2), await peakOf(5)];
  expect(many.peak).toBe(few.peak);
});

test("a scope frees everything, with or without a tape or a backward pass", async () => {
  const { backend, memory } = countingBackend();
  const context = new Context(backend);
  const model = tinyModel(context, { attention: "fused" });
  const before = memory.live.size;
  const ids = randomIds(5, 11);
  // Buffers saved for backward are still on the tape when the scope closes.
  await context.scope("grad", () => crossEntropy(model.forward({ ids, batchSize: 1 }), ids).item());
  expect(memory.live.size).toBe(before);
});

test("backward frees as it goes: a chain of n ops needs memory for two gradients, not n", async () => {
  const { backend, memory } = countingBackend();
  const context = new Context(backend);
  const length = 101;
  const ops = 37;
  const x = context.parameter([length], new Float64Array(length));
  await context.scope("grad", () => {
    let y = x;
    for (let i = 0; i < ops; i++) y = scale(y, 2);
    const loss = sum(y);
    const afterForward = memory.current;
    memory.peak = memory.current;
    context.backward(loss);
    // At the peak: all values, the loss's gradient, and at most two gradients and one scratch buffer of one number.
    expect(memory.peak - afterForward).toBeLessThanOrEqual(2 * length + 2);
    // At the end: x, its gradient, the loss and its gradient.
    expect(memory.current).toBe(2 * length + 2);
  });
});
