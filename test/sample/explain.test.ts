import { describe, expect, test } from "vitest";
import { Random } from "../../src/random.ts";
import { explain } from "../../src/sample/explain.ts";
import type { SampleSettings } from "../../src/sample/settings.ts";
import { choose } from "../../src/sample/strategies.ts";

const PLAIN: SampleSettings = { strategy: "sample", temperature: 1, topK: null, topP: null };
/** Probabilities 12, 8, 6, 4, 1 and 1 of 32, and one token with probability 0. */
const LOGITS = [4, 1, 12, 0, 8, 1, 6].map((share) => Math.log(share / 32));

const explained = (settings: Partial<SampleSettings>, history: readonly number[], count = 3, seed = 1) =>
  explain(choose(LOGITS, history, { ...PLAIN, ...settings }, Random.of(seed)), count);

describe("candidates", () => {
  test("are the model's most probable tokens, best first, with their probabilities after the rules", () => {
    const { candidates } = explained({ topK: 2, noRepeatNgram: 1, strategy: "sample" }, [4]);
    const [first, second, third] = candidates;
    expect(first).toMatchObject({ token: 2, droppedBy: null });
    expect(second).toMatchObject({ token: 4, droppedBy: "no-repeat n-gram", probabilityLeft: 0 });
    expect(third).toMatchObject({ token: 6, droppedBy: null });
    expect(first.probability).toBeCloseTo(12 / 32, 12);
    expect(second.probability).toBeCloseTo(8 / 32, 12);
    expect(first.probabilityLeft).toBeCloseTo(12 / 18, 12);
    expect(third.probabilityLeft).toBeCloseTo(6 / 18, 12);
    expect(candidates).toHaveLength(3);
  });

  test("end with the chosen token if it is not among the best", () => {
    const { token, rank, candidates, logProbability } = explained(
      { strategy: "greedy", noRepeatNgram: 1 },
      [2, 4, 6, 0],
    );
    expect([token, rank]).toEqual([1, 5]);
    expect(candidates.map((candidate) => candidate.token)).toEqual([2, 4, 6, 1]);
    expect(logProbability).toBeCloseTo(Math.log(1 / 32), 12);
  });

  test("are listed once each, including the chosen one, and limited by the vocabulary", () => {
    for (let seed = 0; seed < 9; seed++) {
      const { token, rank, candidates } = explained({}, [], 99, seed);
      expect(candidates.map((candidate) => candidate.token)).toEqual([2, 4, 6, 0, 1, 5]);
      expect(candidates[rank - 1].token).toBe(token);
    }
  });
});

test("rules report, in order, dropped and changed tokens, best first, and the number left", () => {
  const settings = {
    repetitionPenalty: 2,
    noRepeatNgram: 2,
    temperature: 0.5,
    topK: 3,
    topP: 0.99,
    minP: 0.5,
  };
  const { rules } = explained(settings, [4, 1, 6, 0, 6], 2);
  expect(rules).toEqual([
    {
      ...{ rule: "repetition penalty", value: 2, dropped: 0, bestDropped: [] },
      ...{ changed: 4, bestChanged: [4, 6], left: 6 },
    },
    {
      ...{ rule: "no-repeat n-gram", value: 2, dropped: 1, bestDropped: [0] },
      ...{ changed: 0, bestChanged: [], left: 5 },
    },
    {
      ...{ rule: "temperature", value: 0.5, dropped: 0, bestDropped: [] },
      ...{ changed: 5, bestChanged: [2, 4], left: 5 },
    },
    { rule: "top-k", value: 3, dropped: 2, bestDropped: [5, 1], changed: 0, bestChanged: [], left: 3 },
    { rule: "top-p", value: 0.99, dropped: 1, bestDropped: [6], changed: 0, bestChanged: [], left: 2 },
    { rule: "min-p", value: 0.5, dropped: 1, bestDropped: [4], changed: 0, bestChanged: [], left: 1 },
  ]);
});

test("without rules, none are reported and all candidates are left", () => {
  const { rules, candidates } = explained({ strategy: "greedy" }, []);
  expect(rules).toEqual([]);
  for (const { probability, probabilityLeft } of candidates) expect(probabilityLeft).toBe(probability);
});
