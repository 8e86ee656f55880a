/** Whole models against PyTorch: logits, loss and every gradient, over configurations drawn at random. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import type { GPTConfig } from "../../src/nn/config.ts";
import { GPT } from "../../src/nn/gpt.ts";
import type { Parameters } from "../../src/nn/parameters.ts";
import { rowsOf, type Tokens } from "../../src/nn/tokens.ts";
import { crossEntropy, IGNORED } from "../../src/ops/cross-entropy.ts";
import { Random } from "../../src/random.ts";
import {
  goldenTensor,
  goldenTensors,
  greatest,
  load,
  PRECISIONS,
  readGolden,
  relativeError,
} from "../support/golden.ts";

const grid = z.array(z.array(z.int()));
const tokens = z
  .strictObject({
    ids: grid,
    padding: z.strictObject({ starts: z.array(z.int()), ends: z.array(z.int()) }).optional(),
  })
  .transform(({ ids, padding }): Tokens => {
    return { ids: ids.flat(), batchSize: ids.length, ...(padding === undefined ? {} : { padding }) };
  });

const golden = z.strictObject({
  config: z.strictObject({
    layers: z.int(),
    heads: z.int(),
    dModel: z.int(),
    contextLength: z.int(),
    vocabSize: z.int(),
    bias: z.boolean(),
    activation: z.enum(["exact", "tanh"]),
    tieHead: z.boolean(),
    bigram: z.boolean().default(false),
  }),
  tokens,
  targets: grid,
  weights: goldenTensors,
  logits: goldenTensor,
  loss: z.number(),
  gradients: goldenTensors,
});
type Golden = z.output<typeof golden>;

interface Model {
  parameters(): Parameters;
}

const gpts = modelsOf("gpt");

describe.each(PRECISIONS)("on $where", ({ open, tolerance }) => {
  const prove = async <M extends Model>(
    found: Golden,
    make: (context: Context) => M,
    logitsOf: (model: M) => Tensor,
  ) => {
    const context = new Context(await open());
    const model = make(context);
    await checkModel(found, model, () => logitsOf(model), context, tolerance);
    context.close();
  };

  test.each(inBothForms(gpts))("GPT $number with $attention attention is PyTorch's", ({ found, attention }) =>
    prove(
      found,
      (context) => new GPT(context, configOf(found, attention), Random.of(1)),
      (gpt) => gpt.forward(found.tokens),
    ),
  );
});

test("the models differ in every choice; some targets are ignored, some rows padded, some empty", () => {
  expect(gpts.length).toBeGreaterThanOrEqual(6);
  const names = ["layers", "heads", "dModel", "contextLength", "vocabSize"] as const;
  const switches = ["bias", "activation", "tieHead", "bigram"] as const;
  for (const name of [...names, ...switches]) {
    expect(new Set(gpts.map(({ config }) => config[name])).size, name).toBeGreaterThan(1);
  }
  expect(gpts.some(({ targets }) => targets.flat().includes(IGNORED))).toBe(true);
  expect(gpts.filter(({ tokens }) => tokens.padding !== undefined).length).toBeGreaterThanOrEqual(3);
});

function modelsOf(name: string): readonly Golden[] {
  const madeBy = z.string().startsWith("PyTorch ");
  return readGolden(name, z.strictObject({ madeBy, seed: z.string(), models: z.array(golden) })).models;
}

function inBothForms(models: readonly Golden[]) {
  return models.flatMap((found, index) =>
    (["fused", "textbook"] as const).map((attention) => ({ found, number: index + 1, attention })),
  );
}

function configOf({ config }: Golden, attention: GPTConfig["attention"]): GPTConfig {
  return { ...config, dropout: 0, attention };
}

async function checkModel(
  found: Golden,
  model: Model,
  logitsOf: () => Tensor,
  context: Context,
  tolerance: number,
): Promise<void> {
  const parameters = model.parameters();
  load(parameters, found.weights);
  await context.scope("record", async () => {
    const logits = logitsOf();
    expect(logits.shape).toEqual(found.logits.shape);
    const error = relativeError(ownRows(await logits.read(), found), ownRows(found.logits.values, found));
    expect(error, "logits").toBeLessThan(tolerance);
    const loss = crossEntropy(logits, found.targets.flat());
    expect(relativeError([await loss.item()], [found.loss]), "loss").toBeLessThan(tolerance);
    context.backward(loss);
  });

  expect(Object.keys(found.gradients).sort()).toEqual(Object.keys(parameters).sort());
  const largest = Math.max(...Object.values(found.gradients).map(({ values }) => greatest(values)));
  for (const [name, { values }] of Object.entries(found.gradients)) {
    // In exact arithmetic the gradient of a key's bias is 0: it moves all scores of a query alike. Of what rounding
    // leaves there, the other gradients are the measure.
    const floor = greatest(values) < 1e-12 * largest ? largest : 0;
    const error = relativeError(await parameters[name].readGradient(), values, floor);
    expect(error, `gradient of ${name}`).toBeLessThan(tolerance);
  }
}

/** The logits (B, T, V) of the rows' own tokens; at padding they mean nothing. */
function ownRows(logits: Float32Array | Float64Array, { tokens, logits: { shape } }: Golden): number[] {
  const { starts, ends } = rowsOf(tokens);
  const [, positions, scores] = shape;
  return starts.flatMap((start, b) => [
    ...logits.subarray((b * positions + start) * scores, (b * positions + ends[b]) * scores),
  ]);
}
