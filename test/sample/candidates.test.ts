import { describe, expect, test } from "vitest";
import { LogitsError } from "../../src/errors.ts";
import { candidatesOf, logProbabilitiesOf, probabilitiesOf } from "../../src/sample/candidates.ts";

const { NEGATIVE_INFINITY, POSITIVE_INFINITY, MAX_VALUE } = Number;

describe("candidatesOf", () => {
  test("drops exactly the tokens with −∞", () => {
    const { ids, logits } = candidatesOf([NEGATIVE_INFINITY, -MAX_VALUE, 0, NEGATIVE_INFINITY, 2.5]);
    expect([...ids]).toEqual([1, 2, 4]);
    expect([...logits]).toEqual([-MAX_VALUE, 0, 2.5]);
  });

  test("keeps only tokens with +∞ if there are any, with equal probabilities", () => {
    const candidates = candidatesOf([7, POSITIVE_INFINITY, NEGATIVE_INFINITY, POSITIVE_INFINITY, 1e300]);
    expect([...candidates.ids]).toEqual([1, 3]);
    expect([...probabilitiesOf(candidates)]).toEqual([0.5, 0.5]);
  });

  test("reports the first token with NaN", () => {
    expect(() => candidatesOf([1, 2, Number.NaN, POSITIVE_INFINITY, Number.NaN])).toThrow(
      /^logits .* token 2 /,
    );
    expect(() => candidatesOf([Number.NaN])).toThrow(LogitsError);
  });

  test("rejects logits that are all −∞", () => {
    expect(() => candidatesOf([NEGATIVE_INFINITY, NEGATIVE_INFINITY, NEGATIVE_INFINITY])).toThrow(
      /all 3 logits are −∞/,
    );
    expect(() => candidatesOf([])).toThrow(LogitsError);
  });
});

describe("probabilitiesOf", () => {
  test("is softmax", () => {
    const p = probabilitiesOf(candidatesOf([Math.log(1), Math.log(2), Math.log(5)]));
    for (const [i, expected] of [1 / 8, 2 / 8, 5 / 8].entries()) expect(p[i]).toBeCloseTo(expected, 14);
  });

  test("does not overflow or underflow", () => {
    expect([...probabilitiesOf(candidatesOf([1e308, -1e308, 1e308]))]).toEqual([0.5, 0, 0.5]);
    expect([...probabilitiesOf(candidatesOf([-1e308, -1e308]))]).toEqual([0.5, 0.5]);
  });
});

describe("logProbabilitiesOf", () => {
  test("is the logarithm of softmax", () => {
    const candidates = candidatesOf([0.3, -1.7, 2.9, 1.1]);
    const probabilities = probabilitiesOf(candidates);
    for (const [i, logProbability] of logProbabilitiesOf(candidates).entries()) {
      expect(logProbability).toBeCloseTo(Math.log(probabilities[i]), 14);
    }
  });

  test("is finite even if the probability underflows, and 0 for a single candidate", () => {
    expect([...logProbabilitiesOf(candidatesOf([0, -1000]))]).toEqual([0, -1000]);
    expect([...logProbabilitiesOf(candidatesOf([NEGATIVE_INFINITY, 7]))]).toEqual([0]);
  });
});
