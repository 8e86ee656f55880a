/** Trains a tiny model on ranks that live in this process, as the command line does it: rank 0 leads, the others follow. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import type { ModelKind } from "../../src/config/choices.ts";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import type { Communicator } from "../../src/distributed/communicator.ts";
import { type DataParallel, RunEnded } from "../../src/distributed/data-parallel.ts";
import { ranksInProcess } from "../../src/distributed/in-process.ts";
import type { RunJobs } from "../../src/distributed/jobs.ts";
import { evaluateAnswers } from "../../src/evaluate/exact-match.ts";
import { type Evaluation, estimateLoss, evaluateSplit } from "../../src/evaluate/loss.ts";
import { estimateMaskedLoss, evaluateMaskedSplit } from "../../src/evaluate/masked-loss.ts";
import { Encoder } from "../../src/nn/encoder.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { checkFits, fill, restore, snapshot, storedForm } from "../../src/run/restore.ts";
import { MaskedToken } from "../../src/train/objectives/masked-token.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import type { Objective, Trainable } from "../../src/train/objectives/objective.ts";
import { SequenceToSequence } from "../../src/train/objectives/sequence-to-sequence.ts";
import { ToyTask } from "../../src/train/objectives/toy-task.ts";
import { answerForState, collectState, spreadState, stateShapes } from "../../src/train/optimizer-state.ts";
import { ranksOf } from "../../src/train/ranks.ts";
import { type StepReport, Trainer } from "../../src/train/trainer.ts";

const VOCAB = 7;
export const STEPS = 7;
const EVAL_INTERVAL = 4;
const SMALL: Partial<Settings> = {
  ...{ layers: 1, heads: 2, dModel: 6, contextLength: 11, batchSize: 2, steps: STEPS, warmupSteps: 2 },
  ...{ learningRate: 1e-2, gradAccumulation: 4, alphabetSize: VOCAB, minLength: 2, maxLength: 5 },
};
const text = (() => {
  const random = Random.of(1, "test corpus");
  return Int32Array.from({ length: 307 }, (_, i) => (i + random.below(3)) % VOCAB);
})();

type Tensors = Awaited<ReturnType<typeof collectState>>;

/** What a checkpoint holds. */
export interface Saved {
  readonly step: number;
  readonly model: Tensors;
  readonly optimizer: Tensors;
  readonly state: unknown;
}

/** What is logged. */
export type Report = StepReport | Evaluation;

export interface Trained {
  readonly saved: Saved;
  readonly reports: readonly Report[];
}

function build(kind: ModelKind, context: Context, settings: Settings): [Trainable, Objective] {
  const config = gptConfigOf(settings, VOCAB);
  const random = Random.of(settings.seed, "weights");
  if (kind === "gpt") {
    const model = new GPT(context, config, random);
    return [model, new NextToken(model, text, settings)];
  }
  if (kind === "encoder") {
    const model = new Encoder(context, config, random);
    return [model, new MaskedToken(model, text, settings)];
  }
  const model = new EncoderDecoder(context, config, random);
  return [model, new SequenceToSequence(model, new ToyTask(settings), settings.batchSize)];
}

/** Evaluates on 2, 3 or 5 batches, which 4 ranks cannot share equally. */
async function evaluate(model: Trainable, settings: Settings, runJobs?: RunJobs): Promise<Evaluation[]> {
  const whole = { start: 0, end: text.length };
  const size = { batches: 5, batchSize: 2, seed: 1 };
  if (model instanceof GPT)
    return [
      await estimateLoss(model, text, size, runJobs),
      await evaluateSplit(model, text, whole, Number.POSITIVE_INFINITY, runJobs),
    ];
  if (model instanceof Encoder)
    return [
      await estimateMaskedLoss(model, text, size, runJobs),
      await evaluateMaskedSplit(model, text, whole, Number.POSITIVE_INFINITY, runJobs),
    ];
  if (!(model instanceof EncoderDecoder)) throw new Error("of no kind");
  return [await evaluateAnswers(model, new ToyTask(settings).heldOut(70), runJobs)];
}

/** Trains on rank 0, or alone, until `end` steps are done; the other ranks follow until then. */
async function trainRank(
  communicator: Communicator | null,
  changes: Partial<Settings>,
  end: number,
  from: Saved | null,
): Promise<Trained> {
  const settings = resolveSettings(SMALL, changes);
  const backend = await openBackend("wasm", 1);
  const [model, objective] = build(settings.model, new Context(backend), settings);
  const ranks = communicator && ranksOf(communicator, settings);
  const trainer = new Trainer(model, objective, settings, [], ranks);
  if (from !== null) await resume(trainer, ranks, from);
  const follows = ranks !== null && ranks.rank > 0;
  const reports: Report[] = [];
  if (follows) {
    answerForState(trainer, ranks);
    await expect(makeSteps(trainer, ranks, Number.POSITIVE_INFINITY, reports)).rejects.toThrow(RunEnded);
  } else await makeSteps(trainer, ranks, end, reports);
  const saved = await trainer.evaluating(async () => ({
    step: trainer.stepsDone,
    model: await snapshot(model.parameters()),
    optimizer: copied(follows ? storedForm(trainer.optimizerState()) : await collectState(trainer, ranks)),
    state: trainer.toJSON(),
  }));
  if (!follows) await ranks?.end();
  await backend.close();
  return { saved, reports };
}

/** The values, which are only valid until the backend closes. */
function copied(tensors: Tensors): Tensors {
  return new Map(
    Array.from(tensors, ([name, { shape, values }]) => [name, { shape, values: Float32Array.from(values) }]),
  );
}

async function makeSteps(
  trainer: Trainer,
  ranks: DataParallel | null,
  end: number,
  reports: Report[],
): Promise<void> {
  const { model, settings } = trainer;
  while (trainer.stepsDone < end) {
    reports.push(await trainer.step());
    if (trainer.stepsDone % EVAL_INTERVAL > 0) continue;
    reports.push(...(await trainer.evaluating(() => evaluate(model, settings, ranks?.runJobs))));
  }
}

/** Rank 0 reads the optimizer's state; the others keep what it sends them. */
async function resume(trainer: Trainer, ranks: DataParallel | null, from: Saved): Promise<void> {
  restore(trainer.model.parameters(), from.model, "model");
  const sends = ranks?.isSharded ?? false;
  if (!sends || ranks?.rank === 0) {
    checkFits(stateShapes(trainer), from.optimizer, "optimizer");
    fill(trainer.optimizerState(), from.optimizer);
  } else {
    // What every rank keeps is sent as the weights are.
    const averages = [...from.optimizer].filter(([name]) => name.endsWith(".trained"));
    fill(trainer.optimizerState(), new Map(averages));
  }
  if (ranks !== null && sends) await spreadState(trainer, ranks, ranks.rank === 0 ? from.optimizer : null);
  trainer.resumeAt(from.step, from.state);
}

/**
 * Trains on some ranks; checks that they all end with the same bits. 0 ranks: without a communicator.
 *
 * @returns what rank 0 has at the end
 */
export async function train(
  ranks: number,
  changes: Partial<Settings>,
  end = STEPS,
  from: Saved | null = null,
): Promise<Trained> {
  const [first, ...others] = await trainAll(ranks, changes, end, from);
  const weights = ({ saved, reports }: Trained) =>
    digest({ saved: { ...saved, optimizer: new Map() }, reports });
  for (const other of others) {
    expect(weights(other)).toBe(weights(first));
    for (const [name, { values }] of other.saved.optimizer)
      expect(values, name).toEqual(first.saved.optimizer.get(name)?.values);
  }
  return first;
}

/** What each rank has at the end: rank 0 the whole state of the optimizer, the others what they keep. */
export async function trainAll(
  ranks: number,
  changes: Partial<Settings>,
  end = STEPS,
  from: Saved | null = null,
): Promise<Trained[]> {
  if (ranks === 0) return [await trainRank(null, changes, end, from)];
  return Promise.all(
    ranksInProcess(ranks).map((communicator) => trainRank(communicator, changes, end, from)),
  );
}

/** SHA-256 of weights, optimizer state and log. */
export function digest({ saved, reports }: Trained): string {
  const hash = createHash("sha256");
  for (const tensors of [saved.model, saved.optimizer])
    for (const [name, { values }] of tensors) hash.update(name).update(Float32Array.from(values));
  return hash.update(JSON.stringify([saved.step, saved.state, reports])).digest("hex");
}

/** Every kind of model with both optimizers. */
export const CASES: readonly [string, Partial<Settings>][] = [
  ["gpt, AdamW", { model: "gpt" }],
  [
    "gpt, Muon, dropout, epochs, averages",
    { model: "gpt", optimizer: "muon", dropout: 0.2, windows: "epochs", averageSteps: 3 },
  ],
  ["encoder, AdamW, averages", { model: "encoder", averageSteps: 3 }],
  [
    "encoder, Muon, dropout, epochs",
    { model: "encoder", optimizer: "muon", dropout: 0.2, windows: "epochs" },
  ],
  ["seq2seq, AdamW, dropout", { model: "seq2seq", dropout: 0.2 }],
  ["seq2seq, Muon, averages", { model: "seq2seq", optimizer: "muon", averageSteps: 3 }],
];
