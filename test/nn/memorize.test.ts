/** A tiny model memorizes one batch: everything from tokens to the optimizer works together. */
import { expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { crossEntropy } from "../../src/ops/cross-entropy.ts";
import { Random } from "../../src/random.ts";
import { randomIds, TINY } from "../support/models.ts";

test.each(["textbook", "fused"] as const)("memorizes one batch, with %s attention", async (attention) => {
  const backend = new ReferenceBackend("single");
  const context = new Context(backend);
  const model = new GPT(context, { ...TINY, layers: 1, heads: 2, dModel: 14, attention }, Random.of(1));
  const trained = Object.values(model.parameters()).map((parameter) => {
    const [moment1, moment2] = [context.persistent(parameter.shape), context.persistent(parameter.shape)];
    backend.fill(moment1.buffer, 0);
    backend.fill(moment2.buffer, 0);
    return { parameter, moment1, moment2 };
  });
  // Two random sequences with different first tokens: no rule predicts the next token, so they must be memorized.
  const tokens = { ids: [1, ...randomIds(5, 11, "one"), 2, ...randomIds(5, 11, "two")], batchSize: 2 };
  const targets = randomIds(12, 11, "targets");

  let loss = Number.POSITIVE_INFINITY;
  let [power1, power2] = [1, 1];
  for (let step = 1; loss >= 0.01 && step <= 300; step++) {
    loss = await context.scope("grad", () => {
      const root = crossEntropy(model.forward(tokens), targets);
      context.backward(root);
      return root.item();
    });
    power1 *= 0.9;
    power2 *= 0.99;
    for (const { parameter, moment1, moment2 } of trained) {
      const { gradient, buffer, storage } = parameter;
      if (gradient === null) throw new Error("a parameter took no part in the loss");
      const moments = { moment1: moment1.buffer, moment2: moment2.buffer };
      backend.adamw([{ parameter: buffer, gradient, ...moments, weightDecay: 0 }], {
        learningRate: 0.02,
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 1e-8,
        correction1: 1 - power1,
        correction2: 1 - power2,
        gradientScale: 1,
      });
      storage.clearGradient();
    }
  }
  expect(loss).toBeLessThan(0.01);
});
