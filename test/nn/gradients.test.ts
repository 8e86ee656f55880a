/** The whole model: every element of every parameter's gradient against finite differences, in double precision. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import type { GPTConfig } from "../../src/nn/config.ts";
import { crossEntropy, IGNORED } from "../../src/ops/cross-entropy.ts";
import { Random } from "../../src/random.ts";
import { doubleContext, withKernels } from "../support/contexts.ts";
import { expectAllReached, gradientError } from "../support/gradient-check.ts";
import { CHOICES, tinyModel } from "../support/models.ts";
import { wrongGradients } from "../support/wrong-gradients.ts";

const variants: Partial<GPTConfig>[] = [
  { attention: "textbook", layers: 2 },
  { attention: "fused" },
  { attention: "textbook", bias: false, tieHead: false, activation: "gelu-tanh" },
  { attention: "fused", bias: false, tieHead: false },
  { attention: "fused", layers: 1, bigram: true },
  { attention: "textbook", dropout: 0.2, tieHead: false },
  { attention: "fused", dropout: 0.2, activation: "gelu-tanh" },
  ...CHOICES.map((choice) => ({ attention: "fused" as const, ...choice })),
];

/** Two rows of three positions; token 4 occurs in both, and token 9 in neither. Some targets are ignored. */
const tokens = { ids: [4, 0, 10, 2, 4, 7], batchSize: 2 };
const targets = [0, IGNORED, 3, 4, IGNORED, 10];

describe.each(variants)("%j", (variant) => {
  test("every parameter's gradient is the derivative of the loss", async () => {
    const context = doubleContext();
    // With this seed, no difference crosses the kink in the derivative of ReLU².
    const model = tinyModel(context, { layers: 1, ...variant }, variant.activation === "relu2" ? 4 : 1);
    const loss = () => {
      const logits = model.forward(tokens, { cache: null, random: Random.of(17, "dropout") });
      return crossEntropy(logits, targets);
    };
    const { worst, where } = await gradientError(context, model.parameters(), loss);
    expect(worst, where).toBeLessThan(1e-6);
    // A key's bias matters only if keys are rotated or normalized after it.
    const { positions, qkNorm } = model.config;
    await expectAllReached(model.parameters(), positions === "rotary" || qkNorm ? null : "key.bias");
  });
});

describe("the check detects a wrong gradient", () => {
  const inner = new ReferenceBackend("double");
  const { gelu, attention, scatter } = wrongGradients(inner);
  test.each([gelu, attention, scatter])("$what", async ({ replaced }) => {
    const context = new Context(withKernels(inner, replaced));
    const model = tinyModel(context, { layers: 1, attention: "fused" });
    const loss = () => crossEntropy(model.forward(tokens), targets);
    const { tokenEmbedding } = model;
    const { worst } = await gradientError(context, { tokenEmbedding }, loss);
    expect(worst).toBeGreaterThan(1e-6);
  });
});
