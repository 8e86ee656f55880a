/** Ten training steps compared with torch.optim, and Muon compared with its textbook form in PyTorch. */
import { afterEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { Context } from "../../src/autograd/context.ts";
import { resolveSettings } from "../../src/config/settings.ts";
import { WindowLoader } from "../../src/data/window-loader.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { sum } from "../../src/ops/sum.ts";
import { Muon } from "../../src/optim/muon.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { doubleContext } from "../support/contexts.ts";
import {
  goldenTensor,
  goldenTensors,
  load,
  PRECISIONS,
  readGolden,
  relativeError,
} from "../support/golden.ts";

const ids = z.array(z.array(z.int()));
const golden = readGolden(
  "curves",
  z.strictObject({
    madeBy: z.string().startsWith("PyTorch "),
    seed: z.string(),
    curves: z.array(
      z.strictObject({
        name: z.string(),
        settings: z.record(z.string(), z.unknown()),
        vocabSize: z.int(),
        /** For each step, the batches whose gradients it sums. */
        batches: z.array(z.array(z.strictObject({ inputs: ids, targets: ids }))),
        start: goldenTensors,
        steps: z.array(
          z.strictObject({ loss: z.number(), gradientNorm: z.number(), learningRate: z.number() }),
        ),
        end: goldenTensors,
        lossesInBfloat16: z.array(z.number()).optional(),
      }),
    ),
  }),
);
type Curve = (typeof golden.curves)[number];

/** PyTorch clips by limit / (norm + 10⁻⁶) and nopeek by limit / norm, which is the share of a millionth less. */
const CLIPPING = 1e-6;

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(PRECISIONS)("on $where", ({ open, tolerance }) => {
  test.each(golden.curves)("$name: every step matches PyTorch", async (curve) => {
    const trainer = trainerOf(curve, new Context(await open()));
    const most = Math.max(tolerance, trainer.settings.gradClip > 0 ? CLIPPING : 0);
    for (const [i, expected] of curve.steps.entries()) {
      const { lossNats, gradientNorm, learningRate } = await trainer.step();
      expect(relativeError([lossNats], [expected.loss]), `loss ${i}`).toBeLessThan(most);
      expect(relativeError([gradientNorm], [expected.gradientNorm]), `norm ${i}`).toBeLessThan(most);
      expect(relativeError([learningRate], [expected.learningRate]), `rate ${i}`).toBeLessThan(1e-12);
    }
    const parameters = trainer.model.parameters();
    expect(Object.keys(curve.end).sort()).toEqual(Object.keys(parameters).sort());
    for (const [name, { values }] of Object.entries(curve.end)) {
      if (name.endsWith(".key.bias")) continue;
      const error = relativeError(await parameters[name].read(), values);
      expect(error, `${name} in the end`).toBeLessThan(most);
    }
    trainer.model.context.close();
  });
});

test("torch.optim.Muon itself, which orthogonalizes in bfloat16, agrees to three digits", async () => {
  const curve = golden.curves.find(({ lossesInBfloat16 }) => lossesInBfloat16 !== undefined);
  if (curve?.lossesInBfloat16 === undefined) throw new Error("no curve was made by torch.optim.Muon");
  const trainer = trainerOf(curve, doubleContext());
  for (const loss of curve.lossesInBfloat16) {
    expect(relativeError([(await trainer.step()).lossNats], [loss])).toBeLessThan(1e-3);
  }
  expect(curve.lossesInBfloat16).toHaveLength(curve.steps.length);
});

const muon = readGolden(
  "muon",
  z.strictObject({
    madeBy: z.string().startsWith("PyTorch "),
    seed: z.string(),
    cases: z.array(
      z.strictObject({
        learningRate: z.number(),
        momentum: z.number(),
        weightDecay: z.number(),
        start: goldenTensor,
        gradients: z.array(goldenTensor),
        end: goldenTensor,
      }),
    ),
  }),
);

describe.each(PRECISIONS)("Muon on $where", ({ open, tolerance }) => {
  test.each(muon.cases)("updates a matrix of $start.shape as the textbook does", async (found) => {
    const { start, gradients, end, momentum, weightDecay, learningRate } = found;
    const context = new Context(await open());
    const weight = context.parameter(start.shape, start.values);
    const optimizer = new Muon({ weight }, { momentum, weightDecay });
    for (const { shape, values } of gradients) {
      await context.scope("grad", () => {
        context.backward(sum(multiply(weight, context.constant(shape, values))));
      });
      await optimizer.step(learningRate, 1);
    }
    expect(relativeError(await weight.read(), end.values)).toBeLessThan(tolerance);
    context.close();
  });
});

/** A trainer that starts from the golden weights and uses the golden batches. */
function trainerOf(curve: Curve, context: Context): Trainer {
  const settings = resolveSettings(curve.settings);
  const model = new GPT(context, gptConfigOf(settings, curve.vocabSize), Random.of(1));
  load(model.parameters(), curve.start);
  vi.spyOn(WindowLoader.prototype, "batch").mockImplementation((step, part = 0) => {
    const { inputs, targets } = curve.batches[step][part];
    const flat = (rows: readonly number[][]) => Int32Array.from(rows.flat());
    return { inputs: flat(inputs), targets: flat(targets), batchSize: inputs.length };
  });
  const objective = new NextToken(model, new Int32Array(settings.contextLength + 1), settings);
  return new Trainer(model, objective, settings);
}
