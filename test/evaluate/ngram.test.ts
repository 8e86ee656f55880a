import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NgramModel } from "../../src/evaluate/ngram.ts";

const ids = (...tokens: number[]) => Int32Array.from(tokens);

/** Witten–Bell by its formula, with every count taken from the text anew. */
function probability(
  text: readonly number[],
  history: readonly number[],
  w: number,
  vocabSize: number,
): number {
  if (history.length === 0) return interpolate(text, [], w, 1 / vocabSize);
  return interpolate(text, history, w, probability(text, history.slice(1), w, vocabSize));
}

function interpolate(text: readonly number[], h: readonly number[], w: number, shorter: number): number {
  const after: number[] = [];
  for (let i = h.length; i < text.length; i++)
    if (h.every((token, j) => text[i - h.length + j] === token)) after.push(text[i]);
  const distinct = new Set(after).size;
  if (after.length === 0) return shorter;
  return (after.filter((token) => token === w).length + distinct * shorter) / (after.length + distinct);
}

describe("NgramModel", () => {
  it("computes Witten–Bell by hand", () => {
    // Text: a b a b c, of a vocabulary of 4.
    const model = new NgramModel(2, 4);
    model.add(ids(0, 1, 0, 1, 2));
    // Alone: c(a) = 2 of 5 tokens, 3 different: (2 + 3/4) / 8.
    const a = (2 + 3 / 4) / 8;
    const b = (2 + 3 / 4) / 8;
    // After a: b, twice, 1 different: (2 + P(b)) / 3. After b: a and c: (1 + 2·P(a)) / 4.
    const bAfterA = (2 + b) / 3;
    const aAfterB = (1 + 2 * a) / 4;
    expect(model.nats(ids(0, 1, 0))).toBeCloseTo(-Math.log(a) - Math.log(bAfterA) - Math.log(aAfterB), 12);
    expect(model.nats(ids(0, 1, 0), 1)).toBeCloseTo(-3 * Math.log(a), 12);
    // A token that was never seen, after a history that was never seen: only P₁ = (0 + 3/4) / 8.
    expect(model.nats(ids(3, 3))).toBeCloseTo(-2 * Math.log(3 / 4 / 8), 12);
  });

  it("agrees with the formula on any text", () => {
    const token = fc.nat(3);
    const texts = fc.tuple(
      fc.array(token, { minLength: 1, maxLength: 40 }),
      fc.array(token, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
    );
    fc.assert(
      fc.property(texts, ([text, measured, order]) => {
        const model = new NgramModel(order, 4);
        model.add(ids(...text));
        const expected = measured.reduce((sum, w, i) => {
          const history = measured.slice(Math.max(0, i - order + 1), i);
          return sum - Math.log(probability(text, history, w, 4));
        }, 0);
        expect(model.nats(ids(...measured))).toBeCloseTo(expected, 9);
      }),
    );
  });

  it("gives probabilities that sum to 1", () => {
    const model = new NgramModel(3, 5);
    model.add(ids(0, 1, 2, 0, 1, 3, 0, 1, 2, 4));
    for (const history of [[], [1], [0, 1], [4, 4], [1, 3]]) {
      const before = history.length === 0 ? 0 : model.nats(ids(...history));
      const sum = [0, 1, 2, 3, 4].reduce(
        (total, w) => total + Math.exp(before - model.nats(ids(...history, w))),
        0,
      );
      expect(sum).toBeCloseTo(1, 12);
    }
  });

  it("counts no n-gram across two stretches", () => {
    const [apart, together] = [new NgramModel(2, 3), new NgramModel(2, 3)];
    apart.add(ids(0, 1));
    apart.add(ids(2, 0));
    together.add(ids(0, 1, 2, 0));
    expect(apart.nats(ids(1, 2))).toBeGreaterThan(together.nats(ids(1, 2)));
  });

  it("keeps counting right as its tables grow", () => {
    const model = new NgramModel(2, 5000);
    const tokens = Int32Array.from({ length: 5000 }, (_, i) => (i * 1237) % 5000);
    model.add(tokens);
    // Every token once, each after one other: P₁ = (1 + 5000/5000) / 10000, P₂ = (1 + P₁) / 2.
    const p1 = 2 / 10_000;
    expect(model.nats(tokens)).toBeCloseTo(-Math.log(p1) - 4999 * Math.log((1 + p1) / 2), 6);
  });

  it("rejects an order or a vocabulary below 1", () => {
    expect(() => new NgramModel(0, 5)).toThrow("n-grams: order must be a whole number of at least 1: got 0");
    expect(() => new NgramModel(2, 1.5)).toThrow("vocabSize");
  });
});
