/** Training on 1, 2 and 4 ranks has the same bits: weights, optimizer state, losses, norms, evaluations. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import type { ModelKind } from "../../src/config/choices.ts";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import type { Communicator } from "../../src/distributed/communicator.ts";
import { DataParallel, JobsGivenUp, RunEnded } from "../../src/distributed/data-parallel.ts";
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
import { restore, snapshot } from "../../src/run/restore.ts";
import { MaskedToken } from "../../src/train/objectives/masked-token.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import type { Objective, Trainable } from "../../src/train/objectives/objective.ts";
import { SequenceToSequence } from "../../src/train/objectives/sequence-to-sequence.ts";
import { ToyTask } from "../../src/train/objectives/toy-task.ts";
import { type StepReport, Trainer } from "../../src/train/trainer.ts";

const VOCAB = 7;
const STEPS = 7;
const EVAL_INTERVAL = 4;
const SMALL: Partial<Settings> = {
  ...{ layers: 1, heads: 2, dModel: 6, contextLength: 11, batchSize: 2, steps: STEPS, warmupSteps: 2 },
  ...{ learningRate: 1e-2, gradAccumulation: 4, alphabetSize: VOCAB, minLength: 2, maxLength: 5 },
};
const text = (() => {
  const random = Random.of(1, "test corpus");
  return Int32Array.from({ length: 307 }, (_, i) => (i + random.below(3)) % VOCAB);
})();

type Tensors = Awaited<ReturnType<typeof snapshot>>;

/** What a checkpoint holds. */
interface Saved {
  readonly step: number;
  readonly model: Tensors;
  readonly optimizer: Tensors;
  readonly state: unknown;
}

interface Trained {
  readonly saved: Saved;
  readonly reports: readonly (StepReport | Evaluation)[];
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

/** Trains one rank until `end` steps are done. */
async function trainRank(
  communicator: Communicator | null,
  changes: Partial<Settings>,
  end: number,
  from: Saved | null,
): Promise<Trained> {
  const settings = resolveSettings(SMALL, changes);
  const backend = await openBackend("wasm", 1);
  const [model, objective] = build(settings.model, new Context(backend), settings);
  const ranks = communicator && new DataParallel(communicator, settings.gradAccumulation, settings.batchSize);
  const trainer = new Trainer(model, objective, settings, [], ranks);
  if (from !== null) {
    restore(model.parameters(), from.model, "model");
    restore(trainer.optimizerState(), from.optimizer, "optimizer");
    trainer.resumeAt(from.step, from.state);
  }
  const reports: (StepReport | Evaluation)[] = [];
  while (trainer.stepsDone < end) {
    reports.push(await trainer.step());
    if (trainer.stepsDone % EVAL_INTERVAL > 0) continue;
    reports.push(...(await trainer.evaluating(() => evaluate(model, settings, ranks?.runJobs))));
  }
  const saved = await trainer.evaluating(async () => ({
    step: trainer.stepsDone,
    model: await snapshot(model.parameters()),
    optimizer: await snapshot(trainer.optimizerState()),
    state: trainer.toJSON(),
  }));
  await backend.close();
  return { saved, reports };
}

/** Trains on some ranks; checks that they all end with the same bits. 0 ranks: without a communicator. */
async function train(ranks: number, changes: Partial<Settings>, end = STEPS, from: Saved | null = null) {
  if (ranks === 0) return trainRank(null, changes, end, from);
  const all = await Promise.all(
    ranksInProcess(ranks).map((communicator) => trainRank(communicator, changes, end, from)),
  );
  expect(new Set(all.map(digest)).size, "all ranks have the same bits").toBe(1);
  return all[0];
}

/** SHA-256 of weights, optimizer state and log. */
function digest({ saved, reports }: Trained): string {
  const hash = createHash("sha256");
  for (const tensors of [saved.model, saved.optimizer])
    for (const [name, { values }] of tensors) hash.update(name).update(Float32Array.from(values));
  return hash.update(JSON.stringify([saved.step, saved.state, reports])).digest("hex");
}

const CASES: readonly [string, Partial<Settings>][] = [
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

describe.each(CASES)("%s", (_, changes) => {
  it("has the same bits on 1, 2 and 4 ranks, and on one process without a communicator", async () => {
    const alone = digest(await train(0, changes));
    for (const ranks of [1, 2, 4]) expect(digest(await train(ranks, changes)), `${ranks} ranks`).toBe(alone);
    expect(digest(await train(2, { ...changes, seed: 2 }))).not.toBe(alone);
  });

  it("continues with another number of ranks, after a random step", async () => {
    const whole = await train(4, changes);
    const random = Random.of(5, "stops", JSON.stringify(changes));
    for (const [first, second] of [
      [4, 2],
      [2, 0],
      [1, 4],
    ] as const) {
      const step = 1 + random.below(STEPS - 1);
      const begun = await train(first, changes, step);
      const { saved, reports } = await train(second, changes, STEPS, begun.saved);
      expect(digest({ saved, reports: [...begun.reports, ...reports] }), `stopped after ${step}`).toBe(
        digest(whole),
      );
    }
  });
});

it("several parts to a rank have the same bits too", async () => {
  const changes = { gradAccumulation: 8, dropout: 0.1 };
  const alone = digest(await train(0, changes));
  for (const ranks of [2, 8]) expect(digest(await train(ranks, changes)), `${ranks} ranks`).toBe(alone);
  const twelve = { gradAccumulation: 12 };
  expect(digest(await train(3, twelve))).toBe(digest(await train(0, twelve)));
});

describe("processes that cannot share the parts of a step", () => {
  it.each([
    [4, 1, "`gradAccumulation` can be 4, 8, 16, 32, …; it can stay 1 with 1 process"],
    [4, 1, "with 1 process. A step reads `batchSize` × `gradAccumulation` rows"],
    [2, 1, "To keep the 6 rows of a step, use `gradAccumulation` 2 and `batchSize` 3"],
    [3, 4, "To keep the 24 rows of a step, use `gradAccumulation` 6 and `batchSize` 4"],
    [4, 6, "To keep the 36 rows of a step, use `gradAccumulation` 4 and `batchSize` 9"],
    [4, 6, "it can stay 6 with 1 or 3 process"],
    [2, 6, "2 processes cannot share the 6 parts of a step"],
    [8, 4, "it can stay 4 with 1 or 2 or 4 processes"],
  ])("%i for %i parts: are refused with the numbers that fit", (ranks, parts, words) => {
    const [first] = ranksInProcess(ranks);
    expect(() => new DataParallel(first, parts, 6)).toThrow(words);
  });
});

describe("the end of a run on several ranks", () => {
  const two = () => ranksInProcess(2).map((communicator) => new DataParallel(communicator, 2, 1));
  const jobs = (numbers: readonly number[]) => numbers.map((number) => async () => number);

  it("reaches a rank that is in its next step", async () => {
    const [first, second] = two();
    const step = second.share([1], []);
    await first.end();
    await expect(step).rejects.toThrow(RunEnded);
  });

  it("reaches a rank that shares jobs, or waits for a number", async () => {
    for (const waits of [
      (ranks: DataParallel) => ranks.runJobs(jobs([1, 2, 3])),
      (ranks: DataParallel) => ranks.numberOfFirst(),
    ]) {
      const [first, second] = two();
      const waiting = waits(second);
      await first.end();
      await expect(waiting).rejects.toThrow(RunEnded);
    }
  });

  it("gives up the jobs of all ranks, if it is asked for meanwhile", async () => {
    const [first, second] = two();
    let done = 0;
    const stoppingJobs = [0, 1, 2, 3, 4, 5].map((i) => async () => {
      if (i === 1) second.requestStop();
      done += 1;
      return i;
    });
    const runs = await Promise.allSettled([first, second].map((ranks) => ranks.runJobs(stoppingJobs)));
    for (const run of runs) expect(run.status === "rejected" && run.reason).toBeInstanceOf(JobsGivenUp);
    expect(done, "three of the first rank, one of the second").toBe(4);
    expect([first.stopRequested, second.stopRequested]).toEqual([true, true]);
  });

  it("is an error if the ranks share different jobs", async () => {
    const [first, second] = two();
    const runs = [first.runJobs(jobs([1, 2, 3])), second.runJobs(jobs([1, 2]))];
    for (const result of await Promise.allSettled(runs))
      expect(String(result.status === "rejected" && result.reason)).toContain(
        "numbers of jobs to share: 3, 2",
      );
  });

  it("is an error if the ranks train different models", async () => {
    const context = new Context(await openBackend("wasm", 1));
    const parameters = [context.parameter([1], [1])];
    parameters[0].zeroedGradient();
    const [first, second] = two();
    const steps = [first.share([1], parameters), second.share([1], [])];
    for (const result of await Promise.allSettled(steps))
      expect(String(result.status === "rejected" && result.reason)).toContain("they train different models");
  });

  it("is asked for on any rank, and heard on all after the same step", async () => {
    const context = new Context(await openBackend("wasm", 1));
    const parameters = [context.parameter([1], [1])];
    const [first, second] = two();
    const step = () => Promise.all([first, second].map((ranks) => ranks.share([0.5], parameters)));
    expect(await step()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
    expect([first.stopRequested, second.stopRequested]).toEqual([false, false]);
    second.requestStop();
    expect([first.stopRequested, second.stopRequested]).toEqual([false, false]);
    await step();
    expect([first.stopRequested, second.stopRequested]).toEqual([true, true]);
  });
});
