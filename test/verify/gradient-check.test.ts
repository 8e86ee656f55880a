/** The gradient check passes correct gradients and catches several kinds of wrong ones. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { numbersOf } from "../../src/backend/reference/buffer.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import type { GPTConfig } from "../../src/nn/config.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { checkGradients } from "../../src/verify/gradient-check.ts";
import { doubleContext, withKernels } from "../support/contexts.ts";
import { randomIds, TINY, tinyModel } from "../support/models.ts";
import { complaints, optionsFor } from "../support/verify.ts";
import { type WrongGradient, wrongGradients } from "../support/wrong-gradients.ts";

const options = optionsFor([randomIds(7, 11, "slopes", 0), randomIds(7, 11, "slopes", 1)]);

test.each<Partial<GPTConfig>>([
  {},
  { attention: "fused", bias: false, tieHead: false },
  { attention: "fused", bigram: true, activation: "gelu-tanh" },
  { contextLength: 1, layers: 1 },
])("correct gradients pass with %j", async (changes) => {
  const model = tinyModel(doubleContext(), changes);
  const before = await model.tokenEmbedding.read();
  const { texts } = options;
  const cut = { ...options, texts: texts.map((text) => text.slice(0, model.config.contextLength)) };
  const check = await checkGradients(model, cut);
  expect(check.counterExamples).toEqual([]);
  expect(check.ok).toBe(true);
  // Each tensor in one random direction and in at least one number; most of them in two.
  const tensors = Object.keys(model.parameters()).length;
  expect(check.comparisons).toBeGreaterThanOrEqual(2 * tensors);
  expect(check.compared).toContain(`, ${tensors} tensors`);
  expect(await model.tokenEmbedding.read(), "the weights are restored").toEqual(before);
});

test("correct gradients pass where the loss curves sharply: weights initialized as in GPT-2", async () => {
  const config = { ...TINY, layers: 1, heads: 2, contextLength: 13 };
  for (const seed of [1, 2, 3]) {
    const model = new GPT(doubleContext(), config, Random.of(seed));
    const check = await checkGradients(model, { ...options, seed });
    expect(check.counterExamples).toEqual([]);
  }
});

describe("wrong gradients are found", () => {
  const inner = new ReferenceBackend("double");
  const { gelu, attention, scatter } = wrongGradients(inner);
  const norm: WrongGradient = {
    what: "one number of a norm's gradient",
    replaced: {
      normalizeRowsBackward: (...args) => {
        inner.normalizeRowsBackward(...args);
        const dWeight = args[1];
        if (dWeight !== null) numbersOf(dWeight.buffer)[3] += 1e-4;
      },
    },
  };

  test.each([
    {
      ...gelu,
      where:
        /^blocks\.0\.mlp\.up\.weight, all 144 numbers in a random direction: the derivative is \S+ by backward, but/m,
    },
    { ...attention, where: /^blocks\.0\.attention\.query\.weight/m },
    { ...scatter, where: /^tokenEmbedding/m },
    { ...norm, where: /^finalNorm\.weight, all 6 numbers/m },
  ])("$what", async ({ replaced, where }) => {
    const model = tinyModel(new Context(withKernels(inner, replaced)), { attention: "fused" });
    const repeated = { ...options, texts: [[4, 4, 1, 4, 0, 9, 2]] };
    const check = await checkGradients(model, repeated);
    expect(check.ok).toBe(false);
    expect(complaints(check)).toMatch(where);
  });

  test("NaN fails", async () => {
    const model = tinyModel(doubleContext());
    model.context.backend.write(model.tokenEmbedding.buffer, [Number.NaN], 2);
    expect((await checkGradients(model, options)).ok).toBe(false);
  });
});
