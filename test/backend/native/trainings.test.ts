/** Trainings with randomly drawn options compute the same losses, weights and moments on native kernels as on wasm. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import type { Backend } from "../../../src/backend/backend.ts";
import { VECTORS } from "../../../src/backend/native/library.js";
import { openBackend } from "../../../src/backend/open.ts";
import { resolveSettings, type Settings } from "../../../src/config/settings.ts";
import { Encoder } from "../../../src/nn/encoder.ts";
import { EncoderDecoder } from "../../../src/nn/encoder-decoder.ts";
import { GPT } from "../../../src/nn/gpt.ts";
import { Random } from "../../../src/random.ts";
import { gptConfigOf } from "../../../src/run/config.ts";
import { snapshot } from "../../../src/run/restore.ts";
import { MaskedToken } from "../../../src/train/objectives/masked-token.ts";
import { NextToken } from "../../../src/train/objectives/next-token.ts";
import { SequenceToSequence } from "../../../src/train/objectives/sequence-to-sequence.ts";
import { ToyTask } from "../../../src/train/objectives/toy-task.ts";
import { Trainer } from "../../../src/train/trainer.ts";
import { ifNative, noNative, openNative } from "../../support/native.ts";

const VOCAB = 26;
const STEPS = 3;
const TRAININGS = 24;
const text = (() => {
  const random = Random.of(1, "native text");
  return Int32Array.from({ length: 600 }, (_, i) => (i + random.below(3)) % VOCAB);
})();

/** Large enough for strips and tiles of every width, with parts that are left over. */
function drawSettings(seed: number): Settings {
  const random = Random.of(seed, "native training");
  const pick = <T>(...values: readonly T[]) => values[random.below(values.length)];
  const flip = () => random.below(2) === 1;
  const model = pick("gpt", "gpt", "encoder", "seq2seq");
  const heads = pick(1, 2, 3, 4);
  const positions = pick("learned", "rotary", "none");
  const headSize = positions === "rotary" ? pick(4, 8, 16, 24) : pick(5, 8, 12, 16, 20);
  return resolveSettings(
    { layers: pick(1, 2), heads, headSize, dModel: pick(20, 32, 48), batchSize: pick(2, 3, 4), model },
    {
      kvHeads: heads === 4 ? pick(0, 1, 2) : 0,
      positions,
      activation: pick("gelu", "gelu-tanh", "relu2", "swiglu"),
    },
    {
      norm: pick("layer", "rms"),
      normWeights: flip(),
      qkNorm: flip(),
      zeroInit: flip(),
      tieHead: flip(),
      bias: flip(),
    },
    {
      dropout: pick(0, 0.3),
      optimizer: pick("adamw", "muon"),
      gradAccumulation: pick(1, 1, 2),
      averageSteps: pick(0, 5),
    },
    { checkpointActivations: flip(), warmupSteps: 1, steps: STEPS, seed },
    model === "gpt"
      ? { bigram: flip(), logitCap: pick(0, 2), attention: pick("fused", "fused", "textbook") }
      : {},
    model === "seq2seq"
      ? { alphabetSize: VOCAB, minLength: 6, maxLength: 20 }
      : { contextLength: pick(15, 32, 50) },
  );
}

type Model = GPT | Encoder | EncoderDecoder;

function make(settings: Settings, backend: Backend): { model: Model; trainer: Trainer } {
  const context = new Context(backend);
  const config = gptConfigOf(settings, VOCAB);
  const random = Random.of(settings.seed, "weights");
  if (settings.model === "encoder") {
    const model = new Encoder(context, config, random);
    return { model, trainer: new Trainer(model, new MaskedToken(model, text, settings), settings) };
  }
  if (settings.model === "seq2seq") {
    const model = new EncoderDecoder(context, config, random);
    return {
      model,
      trainer: new Trainer(
        model,
        new SequenceToSequence(model, new ToyTask(settings), settings.batchSize),
        settings,
      ),
    };
  }
  const model = new GPT(context, config, random);
  return { model, trainer: new Trainer(model, new NextToken(model, text, settings), settings) };
}

/** Every loss and gradient norm, and SHA-256 of the weights and of the optimizer's state. */
async function train(settings: Settings, backend: Backend): Promise<string> {
  const { model, trainer } = make(settings, backend);
  const numbers: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const { lossNats, gradientNorm } = await trainer.step();
    numbers.push(lossNats, gradientNorm);
  }
  const hash = createHash("sha256");
  for (const tensors of [model.parameters(), trainer.optimizerState()])
    for (const [name, { values }] of await snapshot(tensors))
      hash.update(name).update(Buffer.from(values.buffer));
  return `${numbers} ${hash.digest("hex")}`;
}

describe.skipIf(noNative !== null)(`native training${ifNative}`, () => {
  const settings = Array.from({ length: TRAININGS }, (_, seed) => drawSettings(seed));
  const expected = settings.map(() => "");

  it("has something to compare with", async () => {
    const wasm = await openBackend("wasm");
    for (const [i, one] of settings.entries()) expected[i] = await train(one, wasm);
    await wasm.close();
    expect(new Set(expected).size).toBe(TRAININGS);
    expect(expected.join(" ")).not.toContain("NaN");
  });

  it.each([...VECTORS.map((vectors) => [vectors, 1] as const), ["avx512", 2] as const])(
    "with %s has the bits of wasm, number of threads: %i",
    async (vectors, threads) => {
      // On one thread, C computes every call; on two, those that a user's training has in C.
      const native = await openNative(vectors, threads, threads === 1);
      try {
        for (const [i, one] of settings.entries())
          expect(await train(one, native), JSON.stringify(one)).toBe(expected[i]);
      } finally {
        await native.close();
      }
    },
  );
});
