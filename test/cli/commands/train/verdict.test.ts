import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type MeasuredPoint,
  type RunFacts,
  VERDICTS,
  verdictOf,
} from "../../../../src/cli/commands/train/verdict.ts";
import { presetOf } from "../../../../src/config/presets.ts";
import { resolveSettings } from "../../../../src/config/settings.ts";

const settings = resolveSettings({ steps: 2000, layers: 4, heads: 4, dModel: 128 });

const point = (step: number, validationNats: number, trainingNats: number | null = null): MeasuredPoint => ({
  step,
  validationNats,
  trainingNats,
});

/** A good run of a text: flat at the end, below every baseline. Each case changes what matters. */
const good: RunFacts = {
  points: [point(500, 2, 2), point(1500, 1.5, 1.4), point(2000, 1.5, 1.39)],
  guessNats: 4.2,
  frequencyNats: 3.3,
  ngrams: { validationNats: 1.8, unseenTrainingNats: 1.7 },
  answers: null,
};
const seq2seq: RunFacts = { ...good, frequencyNats: null, ngrams: null };

const TABLE: readonly [name: string, facts: RunFacts, kind: string][] = [
  ["a settled run below n-grams", good, "good"],
  ["NaN at the end", { ...good, points: [point(500, 2), point(1000, Number.NaN)] }, "diverged"],
  [
    "a training loss that is not finite",
    { ...good, points: [point(500, 2, Number.POSITIVE_INFINITY)] },
    "diverged",
  ],
  ["back to guessing", { ...good, points: [point(500, 2, 2.5), point(1000, 4.3, 4.2)] }, "diverged"],
  [
    "back to guessing, with a lower training loss before any measurement",
    { ...good, points: [point(500, 4.2, 2.5), point(1000, 4.3, 4.2)] },
    "diverged",
  ],
  ["far above guessing from the start", { ...good, points: [point(100, 9, 8)] }, "diverged"],
  [
    "validation above guessing because training is memorized",
    { ...good, points: [point(500, 2, 2), point(1000, 4.3, 0.1)] },
    "overfitting",
  ],
  [
    "validation rose while training fell",
    { ...good, points: [point(500, 1.5, 1.5), point(1000, 1.6, 1.2)] },
    "overfitting",
  ],
  [
    "overfitting before it was better than frequencies",
    { ...good, points: [point(500, 3.4, 3), point(1000, 3.6, 2)] },
    "overfitting",
  ],
  [
    "validation and training rose",
    { ...good, points: [point(500, 1.5, 1.5), point(1000, 1.6, 1.6)] },
    "good",
  ],
  ["a rise within noise", { ...good, points: [point(500, 1.5, 1.5), point(1000, 1.505, 1.4)] }, "good"],
  ["a vocabulary of one token", { ...good, guessNats: 0, points: [point(3, 0, 0)] }, "good"],
  ["random weights", { ...good, points: [point(0, 4.2)] }, "guessing"],
  ["slightly above guessing after a few steps", { ...good, points: [point(3, 4.4, 4.3)] }, "guessing"],
  ["frequencies only", { ...good, points: [point(100, 3.3, 3.4)] }, "frequencies"],
  ["a little better than frequencies", { ...good, points: [point(100, 3.2, 3.4)] }, "weak"],
  [
    "still falling",
    { ...good, points: [point(500, 2, 2), point(1600, 1.6, 1.5), point(2000, 1.5, 1.4)] },
    "improving",
  ],
  [
    "a fall that ended long before the end",
    { ...good, points: [point(500, 2, 2), point(1000, 1.5, 1.5), point(2000, 1.5, 1.5)] },
    "good",
  ],
  [
    "a validation split that n-grams find hard too",
    { ...good, ngrams: { validationNats: 2.2, unseenTrainingNats: 1.7 } },
    "unlike",
  ],
  ["worse than n-grams", { ...good, ngrams: { validationNats: 1.4, unseenTrainingNats: 1.4 } }, "weak"],
  ["an encoder, without n-grams", { ...good, ngrams: null }, "good"],
  ["every answer right", { ...seq2seq, answers: { exact: 485, strings: 485 } }, "good"],
  ["some answers wrong, at an end", { ...seq2seq, answers: { exact: 400, strings: 485 } }, "weak"],
  [
    "some answers wrong, still falling",
    { ...seq2seq, points: [point(500, 1), point(1000, 0.5)], answers: { exact: 400, strings: 485 } },
    "improving",
  ],
];

describe("verdictOf", () => {
  it.each(TABLE)("judges %s", (_, facts, kind) => {
    expect(verdictOf(facts, settings).kind).toBe(kind);
  });

  it("covers every kind in the table", () => {
    expect(new Set(TABLE.map(([, , kind]) => kind))).toEqual(new Set(VERDICTS));
  });

  it("reaches exactly one verdict for any facts, in one or two sentences, with settings that are valid", () => {
    const nats = fc.oneof(
      fc.double({ min: 0, max: 10, noNaN: true }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 0),
    );
    const anyPoint = fc.record({
      step: fc.nat(5000),
      validationNats: nats,
      trainingNats: fc.option(nats),
    });
    const anyFacts = fc.record({
      points: fc.array(anyPoint, { minLength: 1, maxLength: 6 }),
      guessNats: fc.double({ min: 0, max: 10, noNaN: true }),
      frequencyNats: fc.option(fc.double({ min: 0, max: 10, noNaN: true })),
      ngrams: fc.option(fc.record({ validationNats: nats, unseenTrainingNats: nats })),
      answers: fc.option(fc.record({ exact: fc.nat(500), strings: fc.constant(500) })),
    });
    const anySettings = fc.constantFrom(
      settings,
      resolveSettings(presetOf("modern").settings, { dropout: 0.5, steps: 10 }),
      resolveSettings({
        layers: 1,
        heads: 4,
        dModel: 4,
        dropout: 0.5,
        learningRate: 1e-6,
        minLearningRate: 0,
      }),
      resolveSettings(presetOf("reverse").settings),
    );
    fc.assert(
      fc.property(anyFacts, anySettings, (facts, before) => {
        const { kind, sentences, changes } = verdictOf(facts, before);
        expect(VERDICTS).toContain(kind);
        expect([1, 2]).toContain(sentences.length);
        for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z0-9].*\.$/);
        expect(resolveSettings(before, changes)).not.toEqual(Object.keys(changes).length > 0 ? before : null);
      }),
    );
  });

  it("quotes the losses that it judged by", () => {
    const [first, second] = verdictOf(
      { ...good, points: [point(400, 1.52, 1.4), point(2000, 1.71, 0.9)] },
      settings,
    ).sentences;
    expect(first).toContain("since step 400 the validation loss rose from 1.5200 to 1.7100");
    expect(second).toBe(
      "Its best loss, 1.5200 nats per token, is 15.6% below that of n-grams counted on the same text (1.8000).",
    );
  });

  it("mentions a validation split unlike the training split beside another verdict", () => {
    const facts = { ...good, ngrams: { validationNats: 2.2, unseenTrainingNats: 1.7 } };
    const overfitting = { ...facts, points: [point(500, 1.5, 1.5), point(1000, 1.6, 1.2)] };
    expect(verdictOf(overfitting, settings).sentences[1]).toContain("unlike the training split");
  });

  it.each([
    [
      "a diverged run: lower learning rates",
      { points: [point(1, Number.NaN)] },
      {},
      { learningRate: 3.3e-4, minLearningRate: 3.3e-5 },
    ],
    [
      "a diverged run with Muon: that rate too",
      { points: [point(1, Number.NaN)] },
      presetOf("modern").settings,
      { learningRate: 1.7e-3, muonLearningRate: 6.7e-3 },
    ],
    [
      "overfitting: more dropout",
      { points: [point(1, 1, 1), point(2, 2, 0.5)] },
      { dropout: 0.2 },
      { dropout: 0.3 },
    ],
    [
      "overfitting with much dropout: fewer layers",
      { points: [point(1, 1, 1), point(2, 2, 0.5)] },
      { dropout: 0.5 },
      { layers: 2 },
    ],
    [
      "overfitting of a small model: fewer channels",
      { points: [point(1, 1, 1), point(2, 2, 0.5)] },
      { dropout: 0.5, layers: 1 },
      { dModel: 64 },
    ],
    ["a run too short to learn: more steps", { points: [point(3, 4.2)] }, { steps: 3 }, { steps: 1000 }],
    [
      "a long run that learned nothing: another rate",
      { points: [point(3, 4.2)] },
      { learningRate: 1e-6, minLearningRate: 0 },
      { learningRate: 1e-3 },
    ],
    ["a run that is improving: twice the steps", { points: [point(1, 2), point(9, 1)] }, {}, { steps: 4000 }],
    ["a good run: nothing", {}, {}, {}],
  ])("suggests for %s", (_, facts, changes, expected) => {
    const before = resolveSettings(settings, changes);
    expect(verdictOf({ ...good, ...facts }, before).changes).toEqual(expected);
  });
});
