/** Numbers that are not finite, and gradient spikes: what stops a run, what is skipped, and the messages. */
import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { scale } from "../../src/ops/scale.ts";
import { sum } from "../../src/ops/sum.ts";
import { sqrt } from "../../src/ops/unary.ts";
import { SpikeDetector } from "../../src/optim/gradient-spikes.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { restore, snapshot } from "../../src/run/restore.ts";
import { firstNonFinite } from "../../src/train/nan-trace.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import { Trainer } from "../../src/train/trainer.ts";

const VOCAB = 7;
const small = { layers: 2, heads: 2, dModel: 6, contextLength: 5, batchSize: 3, steps: 40, warmupSteps: 3 };
const ids = (() => {
  const random = Random.of(1, "test corpus");
  return Int32Array.from({ length: 211 }, () => random.below(VOCAB));
})();

function makeTrainer(changes: Partial<Settings> = {}): Trainer<GPT> {
  const settings = resolveSettings(small, changes);
  const config = gptConfigOf(settings, VOCAB);
  const model = new GPT(new Context(new ReferenceBackend()), config, Random.of(settings.seed, "weights"));
  return new Trainer(model, new NextToken(model, ids, settings), settings);
}

/** Fills weights with a constant. */
function fill({ model }: Trainer<GPT>, name: string, value: number): void {
  const parameter = model.parameters()[name];
  if (parameter === undefined) throw new Error(`no ${name} among ${Object.keys(model.parameters())}`);
  model.context.backend.fill(parameter.buffer, value);
}

/** Makes the second block's MLP exceed single precision. */
function overflow(trainer: Trainer<GPT>): void {
  fill(trainer, "blocks.1.mlp.up.bias", 10);
  fill(trainer, "blocks.1.mlp.down.weight", 3e38);
}

const weightsOf = ({ model }: Trainer<GPT>) => snapshot(model.parameters());

describe("a number that is not finite", () => {
  it("stops the step before any update, and reports the step, its windows and a remedy", async () => {
    const trainer = makeTrainer();
    await trainer.step();
    overflow(trainer);
    const before = await weightsOf(trainer);
    await expect(trainer.step()).rejects.toThrow(
      /step 2 gave a loss of NaN .* on windows of 5 tokens from tokens \d+, \d+, \d+ of the training split; the weights are unchanged. A lower learning rate/,
    );
    expect(await weightsOf(trainer)).toEqual(before);
    expect(trainer.stepsDone).toBe(1);
  });

  it("is traced to the op that produced it, with its shape", async () => {
    const trainer = makeTrainer();
    overflow(trainer);
    expect(await trainer.explainNonFinite()).toMatch(
      /^the first op to produce such a number is linear \(3, 5, 6\), in the forward pass of batch 1: Infinity, one of 90/,
    );
  });

  it("is traced in the backward pass, and healthy models have none", async () => {
    const context = new Context(new ReferenceBackend());
    const x = context.parameter([2, 3], [1, 2, 3, 4, 0, 6]);
    const found = await context.scope("grad", () =>
      firstNonFinite(context, () => context.backward(sum(scale(sqrt(x), 2)))),
    );
    expect(found).toEqual({
      op: "sqrt",
      pass: "backward",
      shape: [2, 3],
      value: Number.POSITIVE_INFINITY,
      count: 1,
      size: 6,
    });
    for (const changes of [{}, { attention: "textbook" as const }, { gradAccumulation: 2 }]) {
      expect(await makeTrainer(changes).explainNonFinite()).toContain("every number of the passes is finite");
    }
  });

  it("in the weights is reported there", async () => {
    const trainer = makeTrainer();
    fill(trainer, "blocks.0.attention.query.weight", Number.NaN);
    expect(await trainer.explainNonFinite()).toContain(
      "the weights blocks.0.attention.query.weight (6, 6) hold numbers that are not finite",
    );
  });

  it("in one of several batches is traced to that batch, without side effects", async () => {
    const trainer = makeTrainer({ gradAccumulation: 3 });
    const other = makeTrainer({ gradAccumulation: 3 });
    await trainer.explainNonFinite();
    expect(await trainer.step()).toEqual(await other.step());
    overflow(trainer);
    await expect(trainer.step()).rejects.toThrow("on batch 1 of 3, windows");
  });
});

describe("a spike", () => {
  it("is a norm beyond a multiple of the recent median, once there are enough norms", () => {
    const spikes = new SpikeDetector();
    for (let i = 0; i < 16; i++) expect(spikes.isSpike(i === 3 ? 100 : 1 + i / 100, 5)).toBe(false);
    expect(spikes.isSpike(5.7, 5)).toBe(true);
    expect(spikes.isSpike(5.2, 5)).toBe(false);
    expect(spikes.isSpike(1e9, 0)).toBe(false);
    // The median adapts to a new level.
    const judged = Array.from({ length: 64 }, () => spikes.isSpike(50, 5));
    expect(judged[0]).toBe(true);
    expect(judged.at(-1)).toBe(false);
  });

  it("is skipped if asked: the weights stay, the step counts, and a resume is bit-identical", async () => {
    const changes = { skipSpikes: 1.2, learningRate: 1e-2, dropout: 0.1 };
    const whole = makeTrainer(changes);
    const reports = [];
    for (let step = 0; step < 40; step++) {
      const before = await weightsOf(whole);
      const report = await whole.step();
      reports.push(report);
      if (report.skipped) expect(await weightsOf(whole)).toEqual(before);
      else expect(await weightsOf(whole)).not.toEqual(before);
    }
    const skipped = reports.filter((report) => report.skipped).length;
    expect(skipped).toBeGreaterThan(0);
    expect(skipped).toBeLessThan(20);
    expect(reports.slice(0, 16).some((report) => report.skipped)).toBe(false);

    const first = makeTrainer(changes);
    for (let step = 0; step < 17; step++) await first.step();
    const second = makeTrainer(changes);
    restore(second.model.parameters(), await weightsOf(first), "model");
    restore(second.optimizerState(), await snapshot(first.optimizerState()), "optimizer");
    second.resumeAt(17, JSON.parse(JSON.stringify(first.toJSON())));
    const rest = [];
    for (let step = 17; step < 40; step++) rest.push(await second.step());
    expect(rest).toEqual(reports.slice(17));
    expect(await weightsOf(second)).toEqual(await weightsOf(whole));
  });

  it("needs a sensible limit", () => {
    expect(() => resolveSettings({ skipSpikes: 0.5 })).toThrow("`skipSpikes` must be 0, or more than 1");
  });
});
