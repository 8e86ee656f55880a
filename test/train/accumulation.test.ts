/**
 * Gradient accumulation: several small batches give the loss and the gradient of one large batch with the same rows,
 * whatever the number of targets in each.
 */
import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import { Encoder } from "../../src/nn/encoder.ts";
import type { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { crossEntropy, IGNORED } from "../../src/ops/cross-entropy.ts";
import { gradientNorm } from "../../src/optim/adamw.ts";
import { Random } from "../../src/random.ts";
import { MaskedToken } from "../../src/train/objectives/masked-token.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import type { Objective, Trainable } from "../../src/train/objectives/objective.ts";
import { pairBatch, SequenceToSequence } from "../../src/train/objectives/sequence-to-sequence.ts";
import { type Example, ToyTask } from "../../src/train/objectives/toy-task.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { doubleContext } from "../support/contexts.ts";
import { TINY, tinySeq2Seq } from "../support/models.ts";

const V = TINY.vocabSize;
const T = TINY.contextLength;
const ids = Int32Array.from({ length: 257 }, (_, i) => (i * i + 3) % V);

/** A model, an objective for `parts` batches of `rows`, and the loss of all rows of step 0 as one batch. */
interface Case {
  readonly model: Trainable;
  readonly objective: Objective;
  wholeLoss(): Tensor;
}
type MakeCase = (context: Context, parts: number, rows: number) => Case;

/** The parts' rows one below the other. */
const joined = (parts: readonly ArrayLike<number>[]) => parts.flatMap((part) => Array.from(part));
const partsOf = <B>(count: number, batch: (part: number) => B) =>
  Array.from({ length: count }, (_, part) => batch(part));

const nextToken: MakeCase = (context, parts, rows) => {
  const model = new GPT(context, TINY, Random.of(1));
  const size = { contextLength: T, batchSize: rows, seed: 4, gradAccumulation: parts };
  const objective = new NextToken(model, ids, { ...size, windows: "epochs" });
  // Windows by epochs continue across the parts, so the first large batch has the same windows.
  const whole = { ...size, batchSize: parts * rows, gradAccumulation: 1, windows: "epochs" } as const;
  return { model, objective, wholeLoss: () => new NextToken(model, ids, whole).loss(0, 0, null) };
};

const maskedToken: MakeCase = (context, parts, rows) => {
  const model = new Encoder(context, TINY, Random.of(1));
  const objective = new MaskedToken(model, ids, { contextLength: T, batchSize: rows, seed: 4 });
  const wholeLoss = () => {
    const batches = partsOf(parts, (part) => objective.batch(0, part));
    const inputs = joined(batches.map((batch) => batch.inputs));
    const logits = model.forward({ ids: inputs, batchSize: parts * rows });
    return crossEntropy(logits, joined(batches.map(({ targets }) => targets)));
  };
  return { model, objective, wholeLoss };
};

/** The examples of a batch, from its padded targets. */
function examplesOf(model: EncoderDecoder, targets: Int32Array, rows: number): Example[] {
  const positions = targets.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    const answer = Array.from(targets.subarray(row * positions, (row + 1) * positions)).filter(
      (id) => id !== IGNORED && id !== model.endId,
    );
    return { source: [...answer].reverse(), answer };
  });
}

const sequenceToSequence: MakeCase = (context, parts, rows) => {
  const model = tinySeq2Seq(context);
  const sizes = { task: "reverse", alphabetSize: V, minLength: 1, maxLength: 6, seed: 3 } as const;
  const objective = new SequenceToSequence(model, new ToyTask(sizes), rows);
  const wholeLoss = () => {
    const examples = partsOf(parts, (part) => examplesOf(model, objective.batch(0, part).targets, rows));
    const { source, inputs, targets } = pairBatch(examples.flat(), model);
    return crossEntropy(model.forward(source, inputs), targets);
  };
  return { model, objective, wholeLoss };
};

/** A GPT whose parts have different numbers of ignored targets; the first has no target at all. */
const ignoredTargets: MakeCase = (context, parts, rows) => {
  const model = new GPT(context, TINY, Random.of(1));
  const size = rows * T;
  const inputs = (part: number) => ids.subarray(part * size, (part + 1) * size);
  const targets = (part: number) =>
    Array.from({ length: size }, (_, i) => (i % parts >= part ? IGNORED : ids[part * size + i + 1]));
  const loss = (part: number) =>
    crossEntropy(model.forward({ ids: inputs(part), batchSize: rows }), targets(part));
  const objective: Objective = {
    tokensPerBatch: size,
    targetCount: (_, part) => targets(part).filter((target) => target !== IGNORED).length,
    loss: (_, part) => loss(part),
    describeBatch: (_, part) => `part ${part}`,
  };
  const wholeLoss = () => {
    const logits = model.forward({ ids: joined(partsOf(parts, inputs)), batchSize: parts * rows });
    return crossEntropy(logits, joined(partsOf(parts, targets)));
  };
  return { model, objective, wholeLoss };
};

/** Loss and gradient norm of all rows as one batch. */
async function ofOneBatch({ model, wholeLoss }: Case) {
  const lossNats = await model.context.scope("grad", () => {
    const loss = wholeLoss();
    model.context.backward(loss);
    return loss.item();
  });
  return { lossNats, norm: await gradientNorm(model.parameters()) };
}

async function ofParts({ model, objective }: Case, gradAccumulation: number, changes: Partial<Settings>) {
  const trainer = new Trainer(model, objective, resolveSettings({ gradAccumulation }, changes));
  const { lossNats, gradientNorm: norm } = await trainer.step();
  return { lossNats, norm };
}

describe.each([
  ["next-token", nextToken],
  ["masked-token", maskedToken],
  ["sequence-to-sequence", sequenceToSequence],
  ["a custom objective with ignored targets", ignoredTargets],
])("accumulated batches of %s", (_, make) => {
  it.each([
    [4, 1],
    [2, 2],
    [8, 4],
    [4, 8],
  ])("%i of %i rows give the loss and the gradient norm of one batch", async (parts, rows) => {
    const whole = await ofOneBatch(make(doubleContext(), parts, rows));
    const accumulated = await ofParts(make(doubleContext(), parts, rows), parts, {});
    expect(accumulated.lossNats).toBeCloseTo(whole.lossNats, 10);
    expect(accumulated.norm).toBeCloseTo(whole.norm, 10);
    const single = await ofParts(make(new Context(new ReferenceBackend()), parts, rows), parts, {});
    expect(Math.abs(single.lossNats / whole.lossNats - 1)).toBeLessThan(1e-5);
    expect(Math.abs(single.norm / whole.norm - 1)).toBeLessThan(1e-5);
  });
});

it("the parts of these tests have different numbers of targets, where the objective allows it", () => {
  const counts = (make: MakeCase) => {
    const { objective } = make(doubleContext(), 4, 1);
    return partsOf(4, (part) => objective.targetCount(0, part));
  };
  expect(counts(nextToken)).toEqual([T, T, T, T]);
  expect(new Set(counts(maskedToken)).size).toBe(1);
  expect(new Set(counts(sequenceToSequence)).size).toBeGreaterThan(1);
  expect(new Set(counts(ignoredTargets)).size).toBe(4);
  expect(counts(ignoredTargets)).toContain(0);
});

it("a step without any target has loss 0 and changes nothing but decay", async () => {
  const { model, objective } = ignoredTargets(doubleContext(), 2, 1);
  const none: Objective = {
    ...objective,
    targetCount: () => 0,
    loss: (step) => objective.loss(step, 0, null),
  };
  expect(await ofParts({ model, objective: none, wholeLoss: () => none.loss(0, 0, null) }, 2, {})).toEqual({
    lossNats: 0,
    norm: 0,
  });
});
