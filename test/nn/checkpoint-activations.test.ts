/** Training that computes the activations of each block twice: the same bits, in less memory. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import { Encoder } from "../../src/nn/encoder.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { crossEntropy } from "../../src/ops/cross-entropy.ts";
import { Random } from "../../src/random.ts";
import { buildModel } from "../../src/run/build-model.ts";
import { MaskedToken } from "../../src/train/objectives/masked-token.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import type { Objective } from "../../src/train/objectives/objective.ts";
import { SequenceToSequence } from "../../src/train/objectives/sequence-to-sequence.ts";
import { ToyTask } from "../../src/train/objectives/toy-task.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { countingBackend, doubleContext } from "../support/contexts.ts";
import { gradientError } from "../support/gradient-check.ts";
import { randomIds, tinyModel } from "../support/models.ts";

const VOCAB = 11;
const SMALL: Partial<Settings> = {
  ...{ layers: 3, heads: 2, dModel: 12, contextLength: 13, batchSize: 3, steps: 4, warmupSteps: 1 },
  ...{ learningRate: 1e-2, alphabetSize: VOCAB, minLength: 2, maxLength: 7 },
};
const ids = Int32Array.from(randomIds(307, VOCAB, "text"));

/** Trains four steps; returns the SHA-256 of weights and optimizer state, and the losses. */
async function train(changes: Partial<Settings>) {
  const settings = resolveSettings(SMALL, changes);
  const backend = await openBackend("wasm", 2);
  const model = buildModel(new Context(backend), settings, VOCAB, Random.of(settings.seed, "weights"));
  const objectiveOf = (): Objective => {
    if (model instanceof GPT) return new NextToken(model, ids, settings);
    if (model instanceof Encoder) return new MaskedToken(model, ids, settings);
    if (model instanceof EncoderDecoder) return new SequenceToSequence(model, new ToyTask(settings), 3);
    throw new Error("no such model");
  };
  const trainer = new Trainer(model, objectiveOf(), settings);
  const losses: number[] = [];
  for (let step = 0; step < settings.steps; step++) losses.push((await trainer.step()).lossNats);
  const hash = createHash("sha256");
  for (const [name, tensor] of Object.entries({ ...model.parameters(), ...trainer.optimizerState() })) {
    hash.update(name).update(new Uint8Array((await tensor.read()).buffer));
  }
  await backend.close();
  return { sha256: hash.digest("hex"), losses };
}

describe("checkpointActivations", () => {
  it.each<[string, Partial<Settings>]>([
    ["the defaults", {}],
    ["dropout", { dropout: 0.3 }],
    ["dropout and textbook attention", { dropout: 0.3, attention: "textbook" }],
    ["dropout and several batches a step", { dropout: 0.3, gradAccumulation: 3 }],
    [
      "rotary, RMS, SwiGLU, shared keys, Muon",
      {
        positions: "rotary",
        norm: "rms",
        activation: "swiglu",
        kvHeads: 1,
        optimizer: "muon",
        qkNorm: true,
        dropout: 0.1,
      },
    ],
    [
      "squared ReLU, capped logits, bigrams",
      { activation: "relu2", logitCap: 5, bigram: true, tieHead: false },
    ],
    ["an encoder", { model: "encoder", dropout: 0.3 }],
    ["an encoder–decoder", { model: "seq2seq", dropout: 0.3, gradAccumulation: 2 }],
  ])("with %s: the bits of training without it", async (_, changes) => {
    const kept = await train(changes);
    expect(await train({ ...changes, checkpointActivations: true })).toEqual(kept);
    expect(new Set(kept.losses).size).toBe(4);
  });

  it("has the gradients of finite differences", async () => {
    const context = doubleContext();
    const model = tinyModel(context, { checkpointActivations: true, attention: "fused" });
    const tokens = { ids: randomIds(10, VOCAB, "input"), batchSize: 2 };
    const targets = randomIds(10, VOCAB, "targets");
    const { worst, where } = await gradientError(context, model.parameters(), () =>
      crossEntropy(model.forward(tokens), targets),
    );
    expect(worst, where).toBeLessThan(1e-6);
  });

  it("takes the memory of one block and an input for each of the others", async () => {
    const [positions, batchSize] = [7, 60];
    const peakOf = async (layers: number, checkpointActivations: boolean) => {
      const { backend, memory } = countingBackend();
      const context = new Context(backend);
      const model = tinyModel(context, {
        layers,
        checkpointActivations,
        attention: "fused",
        dModel: 12,
        dropout: 0.2,
      });
      const [before, input] = [memory.current, randomIds(positions * batchSize, VOCAB)];
      await context.scope("grad", () => {
        const options = { cache: null, random: Random.of(3) };
        model.loss({ ids: input, batchSize }, input, options).backward();
      });
      return (memory.peak - before) / (positions * batchSize * 12);
    };
    const growth = async (checkpoints: boolean) =>
      ((await peakOf(8, checkpoints)) - (await peakOf(2, checkpoints))) / 6;
    expect(await growth(true)).toBeLessThan(1.01);
    expect(await growth(false)).toBeGreaterThan(12);
  });
});
