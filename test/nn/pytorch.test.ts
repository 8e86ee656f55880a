/** Whole models against PyTorch: logits, loss and every gradient, over configurations drawn at random. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Context } from "../../src/autograd/context.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { crossEntropy } from "../../src/ops/cross-entropy.ts";
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

const ids = z.array(z.array(z.int()));
const golden = readGolden(
  "models",
  z.strictObject({
    madeBy: z.string().startsWith("PyTorch "),
    seed: z.string(),
    models: z.array(
      z.strictObject({
        config: z.strictObject({
          layers: z.int(),
          heads: z.int(),
          dModel: z.int(),
          contextLength: z.int(),
          vocabSize: z.int(),
          bias: z.boolean(),
          activation: z.enum(["exact", "tanh"]),
          tieHead: z.boolean(),
          bigram: z.boolean(),
        }),
        ids,
        targets: ids,
        weights: goldenTensors,
        logits: goldenTensor,
        loss: z.number(),
        gradients: goldenTensors,
      }),
    ),
  }),
);

const cases = golden.models.flatMap((model, index) =>
  (["fused", "textbook"] as const).map((attention) => ({ index, attention, model })),
);

describe.each(PRECISIONS)("on $where", ({ open, tolerance }) => {
  test.each(cases)("model $index with $attention attention is PyTorch's", async ({ model, attention }) => {
    const context = new Context(await open());
    const gpt = new GPT(context, { ...model.config, dropout: 0, attention }, Random.of(1));
    const parameters = gpt.parameters();
    load(parameters, model.weights);

    await context.scope("record", async () => {
      const logits = gpt.forward({ ids: model.ids.flat(), batchSize: model.ids.length });
      expect(logits.shape).toEqual(model.logits.shape);
      expect(relativeError(await logits.read(), model.logits.values), "logits").toBeLessThan(tolerance);
      const loss = crossEntropy(logits, model.targets.flat());
      expect(relativeError([await loss.item()], [model.loss]), "loss").toBeLessThan(tolerance);
      context.backward(loss);
    });

    expect(Object.keys(model.gradients)).toEqual(Object.keys(parameters));
    const largest = Math.max(...Object.values(model.gradients).map(({ values }) => greatest(values)));
    for (const [name, { values }] of Object.entries(model.gradients)) {
      // In exact arithmetic the gradient of a key's bias is 0: it moves all scores of a query alike. Of what
      // rounding leaves there, the other gradients are the measure.
      const floor = greatest(values) < 1e-12 * largest ? largest : 0;
      const error = relativeError(await parameters[name].readGradient(), values, floor);
      expect(error, `gradient of ${name}`).toBeLessThan(tolerance);
    }
    context.close();
  });
});

test("the models differ in every choice, and some targets are ignored", () => {
  expect(golden.models.length).toBeGreaterThanOrEqual(6);
  const names = ["layers", "heads", "dModel", "contextLength", "vocabSize"] as const;
  const switches = ["bias", "activation", "tieHead", "bigram"] as const;
  for (const name of [...names, ...switches]) {
    expect(new Set(golden.models.map(({ config }) => config[name])).size, name).toBeGreaterThan(1);
  }
  expect(golden.models.some(({ targets }) => targets.flat().includes(-1))).toBe(true);
});
