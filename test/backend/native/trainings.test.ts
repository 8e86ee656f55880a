/** Trainings with every two options together compute the same losses, weights and moments on native kernels as on wasm. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import type { Backend } from "../../../src/backend/backend.ts";
import { VECTORS } from "../../../src/backend/native/library.js";
import { openBackend } from "../../../src/backend/open.ts";
import type { Settings } from "../../../src/config/settings.ts";
import { Encoder } from "../../../src/nn/encoder.ts";
import { EncoderDecoder } from "../../../src/nn/encoder-decoder.ts";
import { GPT } from "../../../src/nn/gpt.ts";
import { Random } from "../../../src/random.ts";
import { gptConfigOf } from "../../../src/run/config.ts";
import { snapshot } from "../../../src/run/restore.ts";
import { MaskedToken } from "../../../src/train/objectives/masked-token.ts";
import { NextToken } from "../../../src/train/objectives/next-token.ts";
import type { Objective } from "../../../src/train/objectives/objective.ts";
import { SequenceToSequence } from "../../../src/train/objectives/sequence-to-sequence.ts";
import { ToyTask } from "../../../src/train/objectives/toy-task.ts";
import { Trainer } from "../../../src/train/trainer.ts";
import { pairsOf } from "../../support/covering-array.ts";
import { ifNative, noNative, openNative } from "../../support/native.ts";
import { factors, goTogether, pairedValues, settingsOf, VOCAB } from "../../support/paired-settings.ts";

const text = (() => {
  const random = Random.of(1, "native text");
  return Int32Array.from({ length: 600 }, (_, i) => (i + random.below(3)) % VOCAB);
})();

type Model = GPT | Encoder | EncoderDecoder;

interface Training {
  readonly model: Model;
  readonly objective: Objective;
}

function make(settings: Settings, backend: Backend): Training {
  const context = new Context(backend);
  const config = gptConfigOf(settings, VOCAB);
  const random = Random.of(settings.seed, "weights");
  if (settings.model === "encoder") {
    const model = new Encoder(context, config, random);
    return { model, objective: new MaskedToken(model, text, settings) };
  }
  if (settings.model === "seq2seq") {
    const model = new EncoderDecoder(context, config, random);
    return { model, objective: new SequenceToSequence(model, new ToyTask(settings), settings.batchSize) };
  }
  const model = new GPT(context, config, random);
  return { model, objective: new NextToken(model, text, settings) };
}

/** Every loss and gradient norm, the loss of the weights to save, and SHA-256 of them and of the optimizer's state. */
async function train(settings: Settings, backend: Backend): Promise<string> {
  const { model, objective } = make(settings, backend);
  const trainer = new Trainer(model, objective, settings);
  const numbers: number[] = [];
  for (let i = 0; i < settings.steps; i++) {
    const { lossNats, gradientNorm } = await trainer.step();
    numbers.push(lossNats, gradientNorm);
  }
  return trainer.evaluating(async () => {
    numbers.push(await model.context.noGrad(() => objective.loss(settings.steps, 0, null).item()));
    const hash = createHash("sha256");
    for (const tensors of [model.parameters(), trainer.optimizerState()])
      for (const [name, { values }] of await snapshot(tensors))
        hash.update(name).update(Buffer.from(values.buffer));
    return `${numbers} ${hash.digest("hex")}`;
  });
}

describe.skipIf(noNative !== null)(`native training${ifNative}`, () => {
  const choices = pairedValues();
  const settings = settingsOf(choices);
  const expected = settings.map(() => "");

  it("is tried with every two options that go together", () => {
    const pairs = [...pairsOf(factors, goTogether).values()];
    const missing = pairs.filter(
      (pair) => !choices.some((choice) => [...pair].every(([name, value]) => choice.get(name) === value)),
    );
    expect(missing).toEqual([]);
    for (const [name, values] of factors)
      expect(new Set(choices.map((choice) => choice.get(name))), name).toEqual(new Set(values));
  });

  it("has something to compare with", async () => {
    const wasm = await openBackend("wasm");
    for (const [i, one] of settings.entries()) expected[i] = await train(one, wasm);
    await wasm.close();
    expect(new Set(expected).size).toBe(settings.length);
    expect(expected.join(" ")).not.toContain("NaN");
  });

  it.each([...VECTORS.map((vectors) => [vectors, 1] as const), ["avx512", 2] as const])(
    "with %s has the bits of wasm, number of threads: %i",
    async (vectors, threads) => {
      // On one thread, C computes every call; on two, those that a user's training has in C.
      const native = await openNative(vectors, threads, threads === 1);
      try {
        // Plain C is the program of AVX2 in narrower vectors: half of the trainings are enough.
        for (const [i, one] of settings.entries())
          if (vectors !== "plain" || i % 2 === 0)
            expect(await train(one, native), JSON.stringify(one)).toBe(expected[i]);
      } finally {
        await native.close();
      }
    },
  );
});
