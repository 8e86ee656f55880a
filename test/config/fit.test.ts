import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fittingSettings, operationsPerStep } from "../../src/config/fit.ts";
import { belongsTo, resolveSettings, SETTINGS, type Settings } from "../../src/config/settings.ts";
import { checkSplit, splitCorpus } from "../../src/data/split.ts";

const SHAKESPEARE = { tokens: 1_115_394, vocabSize: 65 };
/** Five minutes at 35 GFLOP/s. */
const FIVE_MINUTES = { operations: 300 * 35e9 };

const weightsOf = ({ layers, dModel }: Pick<Settings, "layers" | "dModel">) => 12 * layers * dModel * dModel;

describe("fittingSettings", () => {
  const texts = fc.record({
    tokens: fc.integer({ min: 11, max: 50_000_000 }),
    vocabSize: fc.integer({ min: 1, max: 5000 }),
  });
  const budgets = fc.record({ operations: fc.double({ min: 0, max: 1e16, noNaN: true }) });
  const givens: fc.Arbitrary<Partial<Settings>> = fc.record(
    {
      model: fc.constantFrom("gpt", "encoder"),
      layers: fc.integer({ min: 1, max: 12 }),
      heads: fc.integer({ min: 1, max: 12 }),
      batchSize: fc.integer({ min: 1, max: 100 }),
      steps: fc.integer({ min: 0, max: 1e6 }),
      gradAccumulation: fc.integer({ min: 1, max: 8 }),
      learningRate: fc.double({ min: 1e-6, max: 0.1, noNaN: true }),
      optimizer: fc.constantFrom("adamw", "muon"),
    },
    { requiredKeys: [] },
  );

  it("gives valid settings that keep what is given, for any text and budget", () => {
    fc.assert(
      fc.property(texts, budgets, givens, (text, budget, given) => {
        const fit = fittingSettings(text, budget, given);
        const settings = resolveSettings(fit);
        expect(settings).toMatchObject(given);
        const { contextLength, dModel, heads, positions, model, steps } = settings;
        checkSplit(
          splitCorpus({
            length: text.tokens,
            subarray: (start: number, end = text.tokens) => ({ length: end - start }),
          }),
          contextLength,
        );
        if (positions === "rotary") expect((dModel / heads) % 2).toBe(0);
        if (given.steps === undefined) expect(steps).toBeGreaterThan(0);
        for (const setting of SETTINGS.filter(({ name }) => name in fit))
          expect(belongsTo({ model, tokenizer: "char" }, setting), setting.name).toBe(true);
      }),
    );
  });

  it("reads a text ten times at most, or in 200 steps", () => {
    fc.assert(
      fc.property(texts, budgets, (text, budget) => {
        const { steps, batchSize, contextLength } = fittingSettings(text, budget);
        if (steps > 200)
          expect((steps - 1) * batchSize * contextLength).toBeLessThanOrEqual(10 * 0.9 * text.tokens);
      }),
    );
  });

  it("stays within the budget, measurements included", () => {
    fc.assert(
      fc.property(texts, budgets, (text, budget) => {
        const fit = fittingSettings(text, budget);
        const measured = Math.min(fit.measureTokens ?? 0, text.tokens / 10);
        const perStep = operationsPerStep(fit, text.vocabSize);
        const forward = (measured * perStep) / (3 * fit.batchSize * fit.contextLength);
        if (fit.steps > 100 && measured > 10_000)
          expect(fit.steps * perStep + 10 * forward).toBeLessThanOrEqual(1.01 * budget.operations);
      }),
    );
  });

  it("chooses a larger model for more time, and never a smaller one", () => {
    const sizes = [1, 10, 60, 300, 3600, 36_000].map((seconds) =>
      weightsOf(fittingSettings(SHAKESPEARE, { operations: seconds * 35e9 })),
    );
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(sizes[5]).toBeGreaterThan(20 * sizes[0]);
  });

  it("chooses no larger model than a short text can teach", () => {
    const short = { tokens: 20_000, vocabSize: 80 };
    const longTime = fittingSettings(short, { operations: 1e18 });
    expect(longTime).toEqual(fittingSettings(short, { operations: 1e17 }));
    expect(weightsOf(longTime)).toBeLessThanOrEqual((10 * 0.9 * 20_000) / 1.5);
  });

  it("drops activations only if the model could memorize the text", () => {
    expect(fittingSettings(SHAKESPEARE, FIVE_MINUTES).dropout).toBe(0);
    expect(fittingSettings({ tokens: 20_000, vocabSize: 80 }, FIVE_MINUTES).dropout).toBeGreaterThan(0);
  });

  it("fits sizes around given steps, whatever the budget", () => {
    const [few, many] = [200, 20_000].map((steps) => fittingSettings(SHAKESPEARE, FIVE_MINUTES, { steps }));
    expect(weightsOf(few)).toBeLessThan(weightsOf(many));
    expect(fittingSettings(SHAKESPEARE, { operations: 0 }, { steps: 200 })).toEqual(few);
  });

  it("uses learned positions for heads with an odd number of channels", () => {
    expect(fittingSettings(SHAKESPEARE, FIVE_MINUTES, { heads: 2, dModel: 6 }).positions).toBe("learned");
  });

  it("adds an embedding of pairs only if the vocabulary is small enough for a row per pair", () => {
    expect(fittingSettings(SHAKESPEARE, FIVE_MINUTES).bigram).toBe(true);
    expect(fittingSettings({ tokens: 1e6, vocabSize: 3000 }, FIVE_MINUTES).bigram).toBe(false);
  });
});

describe("operationsPerStep", () => {
  it("counts products, attention, Muon and AdamW", () => {
    const sizes = { layers: 2, heads: 4, dModel: 64, contextLength: 128, batchSize: 8 };
    const tokens = 1024;
    const blocks = 12 * 2 * 64 ** 2;
    const expected =
      tokens * (6 * (blocks + 64 * 65) + 6 * 2 * 128 * 64) + 300 * 2 * 64 ** 3 + 30 * 64 * (2 * 65 + 65 ** 2);
    expect(operationsPerStep(sizes, 65)).toBe(expected);
  });
});
