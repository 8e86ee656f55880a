import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SampleError } from "../../src/errors.ts";
import { Random } from "../../src/random.ts";
import { candidatesOf } from "../../src/sample/candidates.ts";
import { keepMinP, keepTopK, keepTopP, temper } from "../../src/sample/filters.ts";
import { forbidRepeats, penalizeRepetition } from "../../src/sample/repetition.ts";
import type { SampleSettings } from "../../src/sample/settings.ts";
import { choose, draw, rulesOf } from "../../src/sample/strategies.ts";
import { follows } from "./chi-squared.ts";

const PLAIN: SampleSettings = { strategy: "sample", temperature: 1, topK: null, topP: null };
/** Every rule, and the order of temperature, top-k and top-p, affects the result for these logits. */
const ALL_THREE = { strategy: "sample", temperature: 2.3, topK: 4, topP: 0.6 } as const;
const LOGITS = [0.9, -0.4, 1.3, 0.2, 1.3, -1.1, 0.7];
/** Tokens 2, 3 and 6 were seen, and 6 followed an earlier occurrence of the newest token. */
const HISTORY = [2, 6, 3, 2];
/** With these settings, the position of every rule except the last affects the result, too. */
const ALL_SIX = {
  strategy: "sample",
  temperature: 2.3,
  topK: 5,
  topP: 0.8,
  minP: 0.4,
  repetitionPenalty: 2.5,
  noRepeatNgram: 2,
} as const;
const ALMOST_ONE = 1 - 2 ** -53;

/** The textbook distribution: all probabilities at each stage, full sorts, and Math.exp. */
function textbookProbabilities(logits: readonly number[], settings: SampleSettings): number[] {
  const { temperature, topK, topP, minP, repetitionPenalty, noRepeatNgram } = settings;
  const normalized = (p: readonly number[]) => p.map((x) => x / p.reduce((a, b) => a + b, 0));
  const penalty = (x: number, id: number) => {
    if (!HISTORY.includes(id)) return x;
    return x < 0 ? x * (repetitionPenalty ?? 1) : x / (repetitionPenalty ?? 1);
  };
  const text = HISTORY.join("");
  const forbidden = (id: number) =>
    typeof noRepeatNgram === "number" && text.includes(`${text.slice(text.length + 1 - noRepeatNgram)}${id}`);
  const weights = logits.map(penalty);
  let p = normalized(weights.map((x, id) => (forbidden(id) ? 0 : Math.exp(x / temperature))));
  const order = p.map((_, id) => id).sort((a, b) => p[b] - p[a] || a - b);
  const rank = (id: number) => order.indexOf(id);
  p = normalized(p.map((x, id) => (rank(id) < (topK ?? logits.length) ? x : 0)));
  const before = (id: number) => order.slice(0, rank(id)).reduce((sum, other) => sum + p[other], 0);
  p = normalized(p.map((x, id) => (before(id) < (topP ?? 2) ? x : 0)));
  return normalized(p.map((x) => (x < (minP ?? 0) * Math.max(...p) ? 0 : x)));
}

/** Counts of the first tokens in seeded draws. */
function countsOf(choose: (random: Random) => number): number[] {
  const random = Random.of(5, "draws");
  const counts = new Array<number>(LOGITS.length).fill(0);
  for (let i = 0; i < 20_000; i++) counts[choose(random)]++;
  return counts;
}

describe("the distribution of draws", () => {
  const cases: readonly [string, SampleSettings][] = [
    ["plain", PLAIN],
    ["cold", { ...PLAIN, temperature: 0.6 }],
    ["hot", { ...PLAIN, temperature: 1.9 }],
    ["top-k", { ...PLAIN, topK: 3 }],
    ["top-p", { ...PLAIN, topP: 0.7 }],
    ["min-p", { ...PLAIN, minP: 0.3 }],
    ["repetition penalty", { ...PLAIN, repetitionPenalty: 1.8 }],
    ["favored repetition", { ...PLAIN, repetitionPenalty: 0.6 }],
    ["no-repeat n-gram", { ...PLAIN, noRepeatNgram: 2 }],
    ["both repetition rules", { ...PLAIN, repetitionPenalty: 1.8, noRepeatNgram: 1 }],
    ["temperature, top-k, top-p", ALL_THREE],
    ["cold min-p", { ...PLAIN, temperature: 0.6, minP: 0.4 }],
    ["all six", ALL_SIX],
  ];

  const drawn = new Map(
    cases.map(([name, settings]) => [
      name,
      countsOf((random) => choose(LOGITS, HISTORY, settings, random).token),
    ]),
  );
  const fits = (name: string, settings: SampleSettings) =>
    follows(drawn.get(name) ?? [], textbookProbabilities(LOGITS, settings));

  test.each(cases)("%s matches the textbook", (name, settings) => {
    expect(fits(name, settings)).toBe(true);
  });

  test("the check distinguishes each case from every other, so it can fail", () => {
    for (const [name] of cases) {
      for (const [other, settings] of cases) {
        expect([name, other, fits(name, settings)]).toEqual([name, other, name === other]);
      }
    }
  });

  const { temperature, topK, topP } = ALL_THREE;
  const [t, k, p] = [temper(temperature), keepTopK(topK), keepTopP(topP)];
  test.each([
    ["top-p before top-k", [t, p, k]],
    ["temperature last", [k, p, t]],
    ["no temperature", [k, p]],
    ["no top-p", [t, k]],
  ])("the check detects a sampler with %s", (_, filters) => {
    const counts = countsOf((random) => {
      const left = filters.reduce((candidates, filter) => filter(candidates), candidatesOf(LOGITS));
      return draw(left, random.uniform());
    });
    expect(follows(counts, textbookProbabilities(LOGITS, ALL_THREE))).toBe(false);
  });

  const [r, n] = [penalizeRepetition(ALL_SIX.repetitionPenalty), forbidRepeats(ALL_SIX.noRepeatNgram)];
  const [k5, p8, m] = [keepTopK(ALL_SIX.topK), keepTopP(ALL_SIX.topP), keepMinP(ALL_SIX.minP)];
  test.each([
    ["the penalty after temperature", [t, r, n, k5, p8, m]],
    ["n-grams after top-k", [r, t, k5, n, p8, m]],
    ["top-p before top-k", [r, n, t, p8, k5, m]],
    ["temperature last", [r, n, k5, p8, m, t]],
    ["no penalty", [n, t, k5, p8, m]],
    ["no n-grams", [r, t, k5, p8, m]],
  ])("with all six rules, the check detects a sampler with %s", (_, filters) => {
    const counts = countsOf((random) => {
      const left = filters.reduce((candidates, filter) => filter(candidates, HISTORY), candidatesOf(LOGITS));
      return draw(left, random.uniform());
    });
    expect(follows(counts, textbookProbabilities(LOGITS, ALL_SIX))).toBe(false);
  });

  test("min-p comes after top-p, and the check detects the opposite order", () => {
    // From 0.4, 0.25, 0.15, 0.1, 0.1, top-p keeps four, and then min-p drops the 0.1. In the opposite
    // order, min-p keeps the first three, and two of these reach 0.81.
    const logits = [0.4, 0.25, 0.15, 0.1, 0.1].map((p) => Math.log(p));
    const settings = { ...PLAIN, topP: 0.81, minP: 0.3 };
    const expected = textbookProbabilities(logits, settings);
    const counts = countsOf((random) => choose(logits, [], settings, random).token);
    expect(follows(counts, expected)).toBe(true);
    for (const filters of [[keepMinP(0.3), keepTopP(0.81)], [keepTopP(0.81)]]) {
      const left = filters.reduce((candidates, filter) => filter(candidates), candidatesOf(logits));
      expect(
        follows(
          countsOf((random) => draw(left, random.uniform())),
          expected,
        ),
      ).toBe(false);
    }
  });

  test("the rules have the documented order, and greedy has only the first two", () => {
    const names = (settings: SampleSettings) => rulesOf(settings).map(({ name }) => name);
    const order = ["repetition penalty", "no-repeat n-gram", "temperature", "top-k", "top-p", "min-p"];
    expect(names(ALL_SIX)).toEqual(order);
    expect(names({ ...ALL_SIX, strategy: "greedy" })).toEqual(order.slice(0, 2));
    expect(names({ ...ALL_SIX, temperature: 0 })).toEqual(order.slice(0, 2));
    expect(names(PLAIN)).toEqual(["temperature"]);
  });

  test("the check detects a sampler whose uniform number is slightly off", () => {
    const candidates = candidatesOf(LOGITS);
    const counts = countsOf((random) => draw(candidates, 0.97 * random.uniform()));
    expect(follows(counts, textbookProbabilities(LOGITS, PLAIN))).toBe(false);
  });
});

describe("draw", () => {
  test("splits [0, 1) among ascending ids", () => {
    const candidates = candidatesOf([0, Number.NEGATIVE_INFINITY, 0, 0, 0]);
    const tokens = [0, 0.2499, 0.25, 0.4999, 0.5, 0.7499, 0.75, ALMOST_ONE].map((u) => draw(candidates, u));
    expect(tokens).toEqual([0, 0, 2, 2, 3, 3, 4, 4]);
  });

  test("never draws a token with probability 0, at either end", () => {
    // exp(−800) underflows to 0, so these candidates cannot be drawn.
    const candidates = candidatesOf([-800, 0, -800, 0.3, -800, 0.1, -800]);
    expect(draw(candidates, 0)).toBe(1);
    expect(draw(candidates, ALMOST_ONE)).toBe(5);
  });

  test("draws a token even if rounding leaves the sum of probabilities below u", () => {
    const candidates = candidatesOf([...new Array<number>(10).fill(0), -800]);
    expect(new Array(10).fill(0.1).reduce((sum: number, p: number) => sum + p, 0)).toBe(ALMOST_ONE);
    expect(draw(candidates, ALMOST_ONE)).toBe(9);
  });
});

describe("choose", () => {
  const random = () => Random.of(3);
  const tokenOf = (logits: readonly number[], settings: SampleSettings, from: Random, history = HISTORY) =>
    choose(logits, history, settings, from).token;
  const greedy: SampleSettings = { ...PLAIN, strategy: "greedy" };

  test("greedy chooses the highest logit, and the lowest id in a tie", () => {
    expect(tokenOf(LOGITS, greedy, random())).toBe(2);
    expect(tokenOf([Number.NEGATIVE_INFINITY, -3, -2], greedy, random())).toBe(2);
    expect(tokenOf([4, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], greedy, random())).toBe(1);
  });

  test("greedy applies the repetition rules and no others", () => {
    // 2 and 4 tie for the best; 2 was seen, and 4 followed an earlier occurrence of the newest token.
    expect(tokenOf(LOGITS, { ...greedy, repetitionPenalty: 1.1 }, random(), [2])).toBe(4);
    expect(tokenOf(LOGITS, { ...greedy, noRepeatNgram: 2 }, random(), [1, 2, 1])).toBe(4);
    const both = { ...greedy, repetitionPenalty: 1.1, noRepeatNgram: 2 };
    expect(tokenOf(LOGITS, both, random(), [2, 4, 2])).toBe(2);
    expect(tokenOf(LOGITS, both, random(), [2, 4, 6, 2, 4, 2, 2])).toBe(0);
    expect(tokenOf(LOGITS, { ...greedy, temperature: 9, topK: 3, topP: 0.1, minP: 1 }, random())).toBe(2);
  });

  test("a temperature of 0 is greedy, regardless of other settings", () => {
    const settings = { ...PLAIN, temperature: 0, topK: 5, topP: 0.9, minP: 0.1 };
    for (let seed = 0; seed < 50; seed++) expect(tokenOf(LOGITS, settings, Random.of(seed))).toBe(2);
    expect(tokenOf(LOGITS, { ...settings, noRepeatNgram: 1 }, random())).toBe(4);
  });

  test("top-k above the vocabulary size keeps all tokens", () => {
    const counts = countsOf((from) => tokenOf(LOGITS, { ...PLAIN, topK: 1000 }, from));
    expect(counts).toEqual(countsOf((from) => tokenOf(LOGITS, PLAIN, from)));
  });

  test("consumes one uniform number for a draw and none for a greedy choice", () => {
    const [used, untouched] = [random(), random()];
    tokenOf(LOGITS, greedy, used);
    expect(used.state()).toEqual(untouched.state());
    tokenOf(LOGITS, { ...ALL_SIX, topK: 1 }, used);
    untouched.uniform();
    expect(used.state()).toEqual(untouched.state());
  });

  test("produces the same tokens for the same seed", () => {
    const tokens = (seed: number) => {
      const seeded = Random.of(seed);
      return Array.from({ length: 40 }, () => tokenOf(LOGITS, PLAIN, seeded));
    };
    expect(tokens(8)).toEqual(tokens(8));
    expect(tokens(8)).not.toEqual(tokens(9));
  });

  test("reports the token's ln p in the model's distribution, regardless of the rules", () => {
    const own = textbookProbabilities(LOGITS, PLAIN);
    for (const settings of [PLAIN, ALL_SIX, ALL_THREE, greedy, { ...greedy, noRepeatNgram: 1 }]) {
      for (let seed = 0; seed < 9; seed++) {
        const { token, logProbability } = choose(LOGITS, HISTORY, settings, Random.of(seed));
        expect(logProbability).toBeCloseTo(Math.log(own[token]), 13);
      }
    }
  });

  test("records the model's candidates and those after each rule", () => {
    const { offered, stages, token } = choose(LOGITS, HISTORY, ALL_SIX, random());
    expect(offered).toEqual(candidatesOf(LOGITS));
    expect(stages.map(({ rule }) => rule.name)).toEqual(rulesOf(ALL_SIX).map(({ name }) => name));
    let left = candidatesOf(LOGITS);
    for (const stage of stages) {
      left = stage.rule.filter(left, HISTORY);
      expect(stage.left).toEqual(left);
    }
    expect([...left.ids]).toContain(token);
  });

  test.each(["greedy", "sample"] as const)("%s rejects NaN, and logits that leave no token", (strategy) => {
    const settings = { ...PLAIN, strategy };
    expect(() => tokenOf([0, Number.NaN], settings, random())).toThrow(SampleError);
    expect(() => tokenOf([Number.NEGATIVE_INFINITY], settings, random())).toThrow(SampleError);
  });

  test("always chooses a token that the rules kept", () => {
    const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
    const share = fc.double({ min: 0, minExcluded: true, max: 1, noNaN: true });
    const anySettings = fc.record({
      strategy: fc.constantFrom("sample", "greedy"),
      temperature: fc.double({ min: 0, max: 30, noNaN: true }),
      topK: optional(fc.integer({ min: 1, max: 9 })),
      topP: optional(share),
      minP: optional(share),
      repetitionPenalty: optional(fc.double({ min: 0, minExcluded: true, max: 30, noNaN: true })),
      noRepeatNgram: optional(fc.integer({ min: 1, max: 4 })),
    });
    const anyLogits = fc.array(
      fc.oneof(fc.double({ noNaN: true }), fc.constant(Number.NEGATIVE_INFINITY), fc.integer({ max: 9 })),
      { minLength: 1, maxLength: 7 },
    );
    const possible = anyLogits.filter((logits) => logits.some((x) => x > Number.NEGATIVE_INFINITY));
    const anyHistory = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 13 });
    fc.assert(
      fc.property(possible, anyHistory, anySettings, fc.nat(), (logits, history, settings, seed) => {
        const { token, stages, offered } = choose(logits, history, settings, Random.of(seed));
        expect(logits[token]).toBeGreaterThan(Number.NEGATIVE_INFINITY);
        let before = offered;
        for (const { left } of stages) {
          expect(left.ids.length).toBeGreaterThan(0);
          expect(left.ids.every((id) => before.ids.includes(id))).toBe(true);
          before = left;
        }
        expect([...before.ids]).toContain(token);
      }),
      { numRuns: 500 },
    );
  });
});
