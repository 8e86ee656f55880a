/** Training of the other model kinds: resumed runs are bit-identical, and an encoder–decoder learns its task exactly. */
import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import { evaluateAnswers } from "../../src/evaluate/exact-match.ts";
import { estimateMaskedLoss, evaluateMaskedSplit } from "../../src/evaluate/masked-loss.ts";
import { Encoder } from "../../src/nn/encoder.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { padTokens } from "../../src/nn/inputs/token-batch.ts";
import { IGNORED } from "../../src/ops/cross-entropy.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { restore, snapshot } from "../../src/run/restore.ts";
import { greedyAnswers } from "../../src/sample/greedy-answers.ts";
import { MaskedToken, maskTokens } from "../../src/train/objectives/masked-token.ts";
import { SequenceToSequence } from "../../src/train/objectives/sequence-to-sequence.ts";
import { ToyTask } from "../../src/train/objectives/toy-task.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { tinySeq2Seq } from "../support/models.ts";

const VOCAB = 7;
const small = { layers: 1, heads: 2, dModel: 6, contextLength: 13, batchSize: 3, steps: 12, warmupSteps: 3 };
const text = (() => {
  const random = Random.of(1, "test corpus");
  return Int32Array.from({ length: 211 }, (_, i) => (i + random.below(2)) % VOCAB);
})();

function encoderTrainer(changes: Partial<Settings>): Trainer<Encoder> {
  const settings = resolveSettings(small, { model: "encoder" }, changes);
  const context = new Context(new ReferenceBackend());
  const model = new Encoder(context, gptConfigOf(settings, VOCAB), Random.of(settings.seed, "weights"));
  return new Trainer(model, new MaskedToken(model, text, settings), settings);
}

function seq2seqTrainer(changes: Partial<Settings>): Trainer<EncoderDecoder> {
  const sizes = { alphabetSize: VOCAB, minLength: 2, maxLength: 5 };
  const settings = resolveSettings(small, { model: "seq2seq" }, sizes, changes);
  const context = new Context(new ReferenceBackend());
  const random = Random.of(settings.seed, "weights");
  const model = new EncoderDecoder(context, gptConfigOf(settings, VOCAB), random);
  return new Trainer(model, new SequenceToSequence(model, new ToyTask(settings), 3), settings);
}

async function losses(trainer: Trainer, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) found.push((await trainer.step()).lossNats);
  return found;
}

describe.each([
  ["encoder", encoderTrainer],
  ["seq2seq", seq2seqTrainer],
])("training %s", (kind, make: (changes: Partial<Settings>) => Trainer) => {
  it.each([{}, { optimizer: "muon" as const, tieHead: false }])(
    "resumes to the same bits, with %j",
    async (more) => {
      const changes = { dropout: 0.3, gradAccumulation: 2, ...more };
      const whole = make(changes);
      const all = await losses(whole, 9);
      expect(new Set(all).size, "every step has another batch").toBe(9);
      const first = make(changes);
      await losses(first, 4);
      const second = make(changes);
      restore(second.model.parameters(), await snapshot(first.model.parameters()), "model");
      restore(second.optimizerState(), await snapshot(first.optimizerState()), "optimizer");
      second.resumeAt(4);
      expect(await losses(second, 5)).toEqual(all.slice(4));
      expect(await snapshot(second.model.parameters())).toEqual(await snapshot(whole.model.parameters()));
      expect(await losses(make({ ...changes, seed: 2 }), 9)).not.toEqual(all);
    },
  );

  it("updates the matrices of every block with Muon, and the embeddings with AdamW", () => {
    const names = Object.keys(make({ optimizer: "muon" }).optimizerState());
    const muons = names.filter((name) => name.endsWith(".momentum"));
    expect(muons).toContain(
      kind === "encoder" ? "blocks.0.mlp.up.weight.momentum" : "decoder.blocks.0.cross.key.weight.momentum",
    );
    expect(muons).toHaveLength(kind === "encoder" ? 6 : 16);
    expect(names).toContain("tokenEmbedding.firstMoment");
  });
});

describe("an encoder", () => {
  it("learns to fill in tokens from the neighbors on both sides", async () => {
    // Random letters, each written three times: without its neighbors a letter has entropy ln 7 = 1.95.
    const random = Random.of(2, "triples");
    const letters = Array.from({ length: 1500 }, () => random.below(VOCAB));
    const triples = Int32Array.from({ length: 4500 }, (_, i) => letters[Math.floor(i / 3)]);
    const settings = resolveSettings({
      ...{ model: "encoder", layers: 1, heads: 2, dModel: 32, contextLength: 7, batchSize: 32, steps: 200 },
      ...{ optimizer: "muon", learningRate: 1e-2, warmupSteps: 20, tieHead: false },
    });
    const context = new Context(await openBackend("wasm"));
    const model = new Encoder(context, gptConfigOf(settings, VOCAB), Random.of(1));
    const heldOut = { start: 4000, end: 4500 };
    expect((await evaluateMaskedSplit(model, triples, heldOut)).lossNats).toBeGreaterThan(1.9);
    const learned = triples.subarray(0, 4000);
    await losses(new Trainer(model, new MaskedToken(model, learned, settings), settings), 200);
    expect((await evaluateMaskedSplit(model, triples, heldOut)).lossNats).toBeLessThan(1);
  });

  it("is evaluated over a whole split, with fixed masks", async () => {
    const { model } = encoderTrainer({});
    const evaluation = await evaluateMaskedSplit(model, text, { start: 100, end: 211 });
    // 111 tokens: 8 windows of 13 with 2 hidden in each, then 7 tokens with one.
    expect(evaluation).toMatchObject({ method: "whole split", tokens: 17 });
    expect(await evaluateMaskedSplit(model, text, { start: 100, end: 211 })).toEqual(evaluation);
    // By hand: the windows that start at 100, 113, …, masked in that order.
    const random = Random.of(1, "masks");
    let nats = 0;
    for (const [start, count, length] of [
      [100, 8, 13],
      [204, 1, 7],
    ]) {
      const window = text.subarray(start, start + count * length);
      const { inputs, targets } = maskTokens(window, { batchSize: count, vocabSize: VOCAB }, random);
      const logits = await model.context.scope("no-grad", () =>
        model.forward({ ids: inputs, batchSize: count }).read(),
      );
      targets.forEach((target, i) => {
        if (target === IGNORED) return;
        const row = Array.from(logits.subarray(i * VOCAB, (i + 1) * VOCAB));
        nats += Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[target];
      });
    }
    expect(evaluation.lossNats).toBeCloseTo(nats / 17, 5);
    const options = { batches: 2, batchSize: 3, seed: 5 };
    const estimate = await estimateMaskedLoss(model, text, options);
    expect(estimate).toMatchObject({ method: "random windows", tokens: 12 });
    expect(await estimateMaskedLoss(model, text, options)).toEqual(estimate);
    expect(await estimateMaskedLoss(model, text, { ...options, seed: 6 })).not.toEqual(estimate);
  });
});

const HALF_WAY = { reverse: 100, sort: 50 };

describe("an encoder–decoder", () => {
  it.each(["reverse", "sort"] as const)(
    "learns to %s strings that it never saw, without a mistake, in seconds",
    async (task) => {
      const settings = resolveSettings({
        ...{ model: "seq2seq", task, alphabetSize: 4, minLength: 2, maxLength: 5, layers: 1, heads: 2 },
        ...{ dModel: 32, batchSize: 32, steps: 400, learningRate: 5e-3, warmupSteps: 40, weightDecay: 0 },
      });
      const model = new EncoderDecoder(
        new Context(await openBackend("wasm")),
        gptConfigOf(settings, 4),
        Random.of(1),
      );
      const toy = new ToyTask(settings);
      const heldOut = toy.heldOut(200);
      const before = await evaluateAnswers(model, heldOut);
      expect(before.exact).toBe(0);
      expect(before.lossNats).toBeGreaterThan(1.4);
      const trainer = new Trainer(model, new SequenceToSequence(model, toy, 32), settings);
      // Halfway: some answers are right, others have the right length only.
      await losses(trainer, HALF_WAY[task]);
      const sources = heldOut.map(({ source }) => source);
      const said = (await greedyAnswers(model, padTokens(sources, "left"))).map(({ ids }) => ids.join());
      const right = heldOut.filter(({ answer }, i) => answer.join() === said[i]).length;
      const asLong = heldOut.filter(({ answer }, i) => answer.join().length === said[i].length).length;
      expect(right).toBeGreaterThan(0);
      expect(asLong).toBeGreaterThan(right);
      expect((await evaluateAnswers(model, heldOut)).exact).toBe(right);
      await losses(trainer, 400 - HALF_WAY[task]);
      const after = await evaluateAnswers(model, heldOut);
      expect(after).toMatchObject({
        method: "held-out strings",
        strings: heldOut.length,
        exact: heldOut.length,
      });
      expect(after.lossNats).toBeLessThan(0.05);
    },
    60_000,
  );

  it("is evaluated by the mean over all tokens, however strings are batched", async () => {
    const model = tinySeq2Seq(new Context(new ReferenceBackend("double")));
    const task = new ToyTask({ task: "sort", alphabetSize: 11, minLength: 1, maxLength: 6, seed: 8 });
    const examples = task.heldOut(70);
    const whole = await evaluateAnswers(model, examples);
    let [nats, tokens, exact] = [0, 0, 0];
    for (const example of examples) {
      const one = await evaluateAnswers(model, [example]);
      expect(one.tokens).toBe(example.answer.length + 1);
      nats += one.lossNats * one.tokens;
      tokens += one.tokens;
      exact += one.exact;
    }
    expect(whole).toMatchObject({ tokens, exact, strings: examples.length });
    expect(whole.lossNats).toBeCloseTo(nats / tokens, 10);
  });
});
