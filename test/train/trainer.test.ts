import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Backend } from "../../src/backend/backend.ts";
import { openBackend } from "../../src/backend/open.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import { TrainingError } from "../../src/errors.ts";
import { estimateLoss, evaluateSplit } from "../../src/evaluate/loss.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { restore, snapshot } from "../../src/run/restore.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import { Trainer } from "../../src/train/trainer.ts";

const VOCAB = 7;
const small = { layers: 2, heads: 2, dModel: 6, contextLength: 5, batchSize: 3, steps: 12, warmupSteps: 3 };
const ids = (() => {
  const random = Random.of(1, "test corpus");
  return Int32Array.from({ length: 211 }, () => random.below(VOCAB));
})();

function makeTrainer(
  changes: Partial<Settings> = {},
  backend: Backend = new ReferenceBackend(),
): Trainer<GPT> {
  const settings = resolveSettings(small, changes);
  const model = new GPT(
    new Context(backend),
    gptConfigOf(settings, VOCAB),
    Random.of(settings.seed, "weights"),
  );
  return new Trainer(model, new NextToken(model, ids, settings), settings);
}

async function losses(trainer: Trainer, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) found.push((await trainer.step()).lossNats);
  return found;
}

describe("training", () => {
  it("has bit-identical losses for the same seed, and others for another seed", async () => {
    const first = await losses(makeTrainer({ dropout: 0.2 }), 6);
    expect(await losses(makeTrainer({ dropout: 0.2 }), 6)).toEqual(first);
    expect(await losses(makeTrainer({ dropout: 0.2, seed: 2 }), 6)).not.toEqual(first);
  });

  it("resumes to the same bits", async () => {
    const changes = { dropout: 0.3, gradAccumulation: 2 };
    const whole = makeTrainer(changes);
    const all = await losses(whole, 9);

    const first = makeTrainer(changes);
    await losses(first, 4);
    const [model, optimizer] = [
      await snapshot(first.model.parameters()),
      await snapshot(first.optimizerState()),
    ];
    const second = makeTrainer({ ...changes });
    restore(second.model.parameters(), model, "model");
    restore(second.optimizerState(), optimizer, "optimizer");
    second.resumeAt(4);
    expect(await losses(second, 5)).toEqual(all.slice(4));
    expect(await snapshot(second.model.parameters())).toEqual(await snapshot(whole.model.parameters()));
  });

  it("trains with Muon, and resumes to the same bits", async () => {
    const changes = { optimizer: "muon" as const, bigram: true, learningRate: 1e-2 };
    const whole = makeTrainer(changes);
    const all = await losses(whole, 9);
    expect(Object.keys(whole.optimizerState())).toContain("blocks.0.attention.query.weight.momentum");
    expect(Object.keys(whole.optimizerState())).toContain("bigramEmbedding.firstMoment");
    const first = makeTrainer(changes);
    await losses(first, 5);
    const second = makeTrainer(changes);
    restore(second.model.parameters(), await snapshot(first.model.parameters()), "model");
    restore(second.optimizerState(), await snapshot(first.optimizerState()), "optimizer");
    second.resumeAt(5);
    expect(await losses(second, 4)).toEqual(all.slice(5));
    expect(all[8]).toBeLessThan(all[0]);
  });

  it("decays Muon's matrices by `muonWeightDecay` and the others by `weightDecay`", async () => {
    const after = async (changes: Partial<Settings>) => {
      const trainer = makeTrainer({ optimizer: "muon", muonWeightDecay: 0, weightDecay: 0, ...changes });
      const before = await snapshot(trainer.model.parameters());
      const { learningRate } = await trainer.step();
      return { before, after: await snapshot(trainer.model.parameters()), learningRate };
    };
    const plain = await after({});
    const both = await after({ muonWeightDecay: 0.5, weightDecay: 7 });
    // Muon's learning rate, 0.02, is 20 times AdamW's.
    const decay = (name: string) => (name.startsWith("blocks.") ? 20 * 0.5 : 7);
    for (const [name, { values, shape }] of both.after) {
      const rate = shape.length < 2 ? 0 : both.learningRate * decay(name);
      const start = both.before.get(name)?.values;
      const undecayed = plain.after.get(name)?.values;
      values.forEach((value, i) => {
        expect(value, name).toBeCloseTo((undecayed?.[i] ?? 0) - rate * (start?.[i] ?? 0), 6);
      });
    }
  });

  it("keeps an average of the weights, and resumes to the same bits", async () => {
    const changes = { averageSteps: 3, learningRate: 1e-2, schedule: "constant" as const };
    const whole = makeTrainer(changes);
    const plain = makeTrainer({ ...changes, averageSteps: 0 });
    const expected = new Map<string, Float64Array>();
    const kept = (trainer: Trainer) => trainer.evaluating(() => snapshot(trainer.model.parameters()));
    expect(await kept(whole)).toEqual(await kept(plain));
    const all: number[] = [];
    for (let update = 1; update <= 7; update++) {
      all.push((await whole.step()).lossNats);
      // Averaging does not affect the training.
      expect((await plain.step()).lossNats).toBe(all[update - 1]);
      for (const [name, { values }] of await snapshot(plain.model.parameters())) {
        const average = expected.get(name) ?? new Float64Array(values.length);
        const share = 1 / Math.min(update, 3);
        expected.set(
          name,
          average.map((old, i) => old + (values[i] - old) * share),
        );
      }
    }
    const averages = await kept(whole);
    for (const [name, values] of expected) {
      averages.get(name)?.values.forEach((value, i) => {
        expect(value).toBeCloseTo(values[i], 6);
      });
    }
    expect(averages).not.toEqual(await kept(plain));
    // Nor does evaluating the average.
    expect(await snapshot(whole.model.parameters())).toEqual(await snapshot(plain.model.parameters()));

    const first = makeTrainer(changes);
    await losses(first, 4);
    const [model, optimizer] = await first.evaluating(async () => [
      await snapshot(first.model.parameters()),
      await snapshot(first.optimizerState()),
    ]);
    const second = makeTrainer(changes);
    restore(second.model.parameters(), model, "model");
    restore(second.optimizerState(), optimizer, "optimizer");
    second.resumeAt(4);
    expect(await kept(second)).toEqual(model);
    expect(await losses(second, 3)).toEqual(all.slice(4));
    expect(await kept(second)).toEqual(averages);
  });

  it("is not affected by rehearsing", async () => {
    const plain = await losses(makeTrainer({ dropout: 0.2 }), 4);
    const rehearsed = makeTrainer({ dropout: 0.2 });
    await rehearsed.rehearse();
    expect(await losses(rehearsed, 4)).toEqual(plain);
  });

  it("accumulates two batches into the mean of their gradients", async () => {
    const clipped = { gradClip: 0, weightDecay: 0, schedule: "constant" as const, warmupSteps: 0 };
    const trainer = makeTrainer({ ...clipped, gradAccumulation: 2 });
    const before = await snapshot(trainer.model.parameters());
    const { gradientNorm, lossNats } = await trainer.step();
    // The same gradient by hand: each micro-batch on a separate model, summed in the test.
    const sums = new Map<string, Float64Array>();
    let loss = 0;
    for (const part of [0, 1]) {
      const { gradients, lossNats } = await gradientOfPart(part);
      loss += lossNats / 2;
      for (const [name, gradient] of gradients) {
        const sum = sums.get(name) ?? new Float64Array(gradient.length);
        gradient.forEach((value, i) => {
          sum[i] += value / 2;
        });
        sums.set(name, sum);
      }
    }
    let squares = 0;
    for (const sum of sums.values()) for (const value of sum) squares += value * value;
    expect(lossNats).toBeCloseTo(loss, 6);
    expect(gradientNorm).toBeCloseTo(Math.sqrt(squares), 5);
    expect(await snapshot(trainer.model.parameters())).not.toEqual(before);
  });

  it("clips the step and reports the norm before clipping", async () => {
    const [free, clipped] = [makeTrainer({ gradClip: 0 }), makeTrainer({ gradClip: 1e-3 })];
    const [a, b] = [await free.step(), await clipped.step()];
    expect(b.gradientNorm).toBe(a.gradientNorm);
    expect(b.gradientNorm).toBeGreaterThan(1e-3);
    const squared = await clipped.optimizerState()["finalNorm.weight.firstMoment"].read();
    const whole = await free.optimizerState()["finalNorm.weight.firstMoment"].read();
    // The first moment is (1 − β₁)·g: clipping scales it by clip / norm.
    const ratio = 1e-3 / a.gradientNorm;
    squared.forEach((value, i) => {
      expect(value).toBeCloseTo(whole[i] * ratio, 9);
    });
  });

  it("stops at a loss that is not finite, before the weights change", async () => {
    const trainer = makeTrainer();
    const { tokenEmbedding } = trainer.model;
    trainer.model.context.backend.fill(tokenEmbedding.buffer, Number.NaN);
    const before = await snapshot(trainer.model.parameters());
    await expect(trainer.step()).rejects.toThrow(TrainingError);
    expect(await snapshot(trainer.model.parameters())).toEqual(before);
    expect(trainer.stepsDone).toBe(0);
  });

  it.each(["reference", "wasm"] as const)("memorizes one batch on %s", async (name) => {
    const settings = {
      steps: 150,
      learningRate: 2e-2,
      minLearningRate: 1e-3,
      weightDecay: 0,
      dModel: 16,
      batchSize: 4,
    };
    const corpus = Int32Array.of(3, 1, 4, 1, 5, 2);
    const resolved = resolveSettings(small, settings);
    const model = new GPT(new Context(await openBackend(name)), gptConfigOf(resolved, VOCAB), Random.of(3));
    const trainer = new Trainer(model, new NextToken(model, corpus, resolved), resolved);
    const found = await losses(trainer, 150);
    expect(found[0]).toBeGreaterThan(1);
    expect(found[149]).toBeLessThan(0.01);
  });
});

describe("evaluation", () => {
  it("over the whole split is the mean over every token, however windows are batched", async () => {
    const { model } = makeTrainer();
    const whole = await evaluateSplit(model, ids, { start: 100, end: 211 });
    expect(whole).toMatchObject({ method: "whole split", tokens: 111 });
    // By hand: −log softmax of each target, from the windows that start at 99, 104, …
    let nats = 0;
    for (let first = 99; first < 210; first += 5) {
      const window = ids.subarray(first, Math.min(first + 5, 210));
      const logits = await model.context.scope("no-grad", () =>
        model.forward({ ids: window, batchSize: 1 }).read(),
      );
      window.forEach((_, t) => {
        const row = logits.subarray(t * VOCAB, (t + 1) * VOCAB);
        const total = Array.from(row).reduce((sum, x) => sum + Math.exp(x), 0);
        nats += Math.log(total) - row[ids[first + t + 1]];
      });
    }
    expect(whole.lossNats).toBeCloseTo(nats / 111, 5);
  });

  it("by estimate is the same for the same seed, and is marked as an estimate", async () => {
    const { model } = makeTrainer();
    const options = { batches: 2, batchSize: 3, seed: 5 };
    const estimate = await estimateLoss(model, ids, options);
    expect(estimate).toMatchObject({ method: "random windows", tokens: 30 });
    expect(await estimateLoss(model, ids, options)).toEqual(estimate);
    expect(await estimateLoss(model, ids, { ...options, seed: 6 })).not.toEqual(estimate);
  });
});

/** Loss and gradient of one micro-batch of step 0, through the model alone. */
async function gradientOfPart(part: number) {
  const { WindowLoader } = await import("../../src/data/window-loader.ts");
  const { crossEntropy } = await import("../../src/ops/cross-entropy.ts");
  const { model, settings } = makeTrainer();
  const { contextLength, batchSize, seed } = settings;
  const batch = new WindowLoader(ids, { contextLength, batchSize, seed }).batch(0, part);
  const { context } = model;
  const lossNats = await context.scope("grad", () => {
    const loss = crossEntropy(model.forward({ ids: batch.inputs, batchSize }), batch.targets);
    context.backward(loss);
    return loss.item();
  });
  const gradients = new Map<string, Float32Array | Float64Array>();
  for (const [name, parameter] of Object.entries(model.parameters())) {
    gradients.set(name, await parameter.grad());
  }
  return { lossNats, gradients };
}
