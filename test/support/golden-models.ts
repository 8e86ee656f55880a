/** Compares whole models with PyTorch: logits, loss, and the gradient of every parameter. */
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { GPT2_STYLE, type GPTConfig } from "../../src/nn/config.ts";
import { type Padding, rowsOf, type TokenBatch } from "../../src/nn/inputs/token-batch.ts";
import type { NamedTensors } from "../../src/nn/parameters.ts";
import { crossEntropy } from "../../src/ops/cross-entropy.ts";
import {
  goldenTensor,
  goldenTensors,
  greatest,
  load,
  PRECISIONS,
  readGolden,
  relativeError,
} from "./golden.ts";

const grid = z.array(z.array(z.int()));
const padding = z.strictObject({ starts: z.array(z.int()), ends: z.array(z.int()) });
const tokens = z.strictObject({ ids: grid, padding: padding.optional() }).transform(toTokens);

const goldenModel = z.strictObject({
  config: z.strictObject({
    layers: z.int(),
    heads: z.int(),
    dModel: z.int(),
    contextLength: z.int(),
    vocabSize: z.int(),
    bias: z.boolean(),
    activation: z.enum(["gelu", "gelu-tanh", "relu2", "swiglu"]),
    tieHead: z.boolean(),
    bigram: z.boolean().default(false),
    kvHeads: z.int().default(0),
    headSize: z.int().default(0),
    mlpWidth: z.int().default(0),
    normEpsilon: z.number().default(GPT2_STYLE.normEpsilon),
    qkNormWeights: z.boolean().default(false),
    ropeBase: z.number().default(GPT2_STYLE.ropeBase),
    norm: z.enum(["layer", "rms"]).default("layer"),
    normWeights: z.boolean().default(true),
    qkNorm: z.boolean().default(false),
    positions: z.enum(["learned", "rotary", "none"]).default("learned"),
    logitCap: z.number().default(0),
  }),
  /** The source of an encoder–decoder. */
  source: tokens.default({ ids: [], batchSize: 0 }),
  tokens,
  targets: grid,
  weights: goldenTensors,
  /** Zeros at padding, where logits are meaningless. */
  logits: goldenTensor,
  loss: z.number(),
  gradients: goldenTensors,
});
export type GoldenModel = z.output<typeof goldenModel>;

/** The models of test/golden/pytorch/NAME.json. */
export function goldenModels(name: string): readonly GoldenModel[] {
  const madeBy = z.string().startsWith("PyTorch ");
  return readGolden(name, z.strictObject({ madeBy, seed: z.string(), models: z.array(goldenModel) })).models;
}

/** Tests that each model matches PyTorch, with both forms of attention and in each precision. */
export function provePyTorchs<Model extends { parameters(): NamedTensors }>(
  models: readonly GoldenModel[],
  make: (context: Context, config: GPTConfig) => Model,
  logitsOf: (model: Model, found: GoldenModel) => Tensor,
): void {
  const cases = models.flatMap((found, index) =>
    (["fused", "textbook"] as const).map((attention) => ({ found, number: index + 1, attention })),
  );
  describe.each(PRECISIONS)("on $where", ({ open, tolerance }) => {
    test.each(cases)(
      "model $number with $attention attention matches PyTorch",
      async ({ found, attention }) => {
        const context = new Context(await open());
        const untrained = { zeroInit: false, dropout: 0, checkpointActivations: false };
        const model = make(context, { ...found.config, ...untrained, attention });
        load(model.parameters(), found.weights);
        await checkLogitsAndLoss(found, context, () => logitsOf(model, found), tolerance);
        await checkGradients(found, model.parameters(), tolerance);
        context.close();
      },
    );
  });
}

/** Computes the gradient of the loss in the parameters. */
async function checkLogitsAndLoss(
  found: GoldenModel,
  context: Context,
  forward: () => Tensor,
  tolerance: number,
): Promise<void> {
  await context.scope("grad", async () => {
    const logits = forward();
    expect(logits.shape).toEqual(found.logits.shape);
    const error = relativeError(ownRows(await logits.read(), found), ownRows(found.logits.values, found));
    expect(error, "logits").toBeLessThan(tolerance);
    const loss = crossEntropy(logits, found.targets.flat());
    expect(relativeError([await loss.item()], [found.loss]), "loss").toBeLessThan(tolerance);
    context.backward(loss);
  });
}

async function checkGradients(
  found: GoldenModel,
  parameters: NamedTensors,
  tolerance: number,
): Promise<void> {
  expect(Object.keys(found.gradients).sort()).toEqual(Object.keys(parameters).sort());
  const largest = Math.max(...Object.values(found.gradients).map(({ values }) => greatest(values)));
  for (const [name, { values }] of Object.entries(found.gradients)) {
    // In exact arithmetic, the gradient of a key's bias is 0, because it shifts all scores of a query equally. Its
    // rounding error is measured relative to the other gradients.
    const floor = greatest(values) < 1e-12 * largest ? largest : 0;
    const error = relativeError(await parameters[name].grad(), values, floor);
    expect(error, `gradient of ${name}`).toBeLessThan(tolerance);
  }
}

/** The logits (B, T, V) without those at padding. */
function ownRows(logits: Float32Array | Float64Array, { tokens, logits: { shape } }: GoldenModel): number[] {
  const { starts, ends } = rowsOf(tokens);
  const [, positions, scores] = shape;
  return starts.flatMap((start, b) => {
    return [...logits.subarray((b * positions + start) * scores, (b * positions + ends[b]) * scores)];
  });
}

function toTokens({ ids, padding }: { ids: number[][]; padding?: Padding | undefined }): TokenBatch {
  return { ids: ids.flat(), batchSize: ids.length, ...(padding === undefined ? {} : { padding }) };
}
