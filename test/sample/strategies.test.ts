import { describe, expect, test } from "vitest";
import { SampleError } from "../../src/errors.ts";
import { Random } from "../../src/random.ts";
import { candidatesOf } from "../../src/sample/candidates.ts";
import { keepTopK, keepTopP, temper } from "../../src/sample/filters.ts";
import { checkSampleSettings, chooseToken, draw, type SampleSettings } from "../../src/sample/strategies.ts";
import { follows } from "./chi-squared.ts";

const PLAIN: SampleSettings = { strategy: "sample", temperature: 1, topK: null, topP: null };
/** With these logits, every filter matters, and so does which of temperature or top-k and top-p comes first. */
const ALL_THREE = { strategy: "sample", temperature: 2.3, topK: 4, topP: 0.6 } as const;
const LOGITS = [0.9, -0.4, 1.3, 0.2, 1.3, -1.1, 0.7];
const ALMOST_ONE = 1 - 2 ** -53;

/** The distribution as books write it: every probability at each stage, everything sorted, the host's exp. */
function textbookProbabilities(logits: readonly number[], settings: SampleSettings): number[] {
  const { temperature, topK, topP } = settings;
  const normalized = (p: readonly number[]) => p.map((x) => x / p.reduce((a, b) => a + b, 0));
  let p = normalized(logits.map((x) => Math.exp(x / temperature)));
  const order = p.map((_, id) => id).sort((a, b) => logits[b] - logits[a] || a - b);
  const rank = (id: number) => order.indexOf(id);
  p = normalized(p.map((x, id) => (rank(id) < (topK ?? logits.length) ? x : 0)));
  const before = (id: number) => order.slice(0, rank(id)).reduce((sum, other) => sum + p[other], 0);
  return normalized(p.map((x, id) => (before(id) < (topP ?? 2) ? x : 0)));
}

/** How often each token comes in seeded draws. */
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
    ["all three", ALL_THREE],
  ];

  test.each(cases)("%s is the textbook's", (_, settings) => {
    const counts = countsOf((random) => chooseToken(LOGITS, settings, random));
    expect(follows(counts, textbookProbabilities(LOGITS, settings))).toBe(true);
  });

  test("each case is told apart from every other, so the check can fail", () => {
    for (const [name, settings] of cases) {
      const counts = countsOf((random) => chooseToken(LOGITS, settings, random));
      for (const [other, otherSettings] of cases) {
        const fits = follows(counts, textbookProbabilities(LOGITS, otherSettings));
        expect([name, other, fits]).toEqual([name, other, name === other]);
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
  ])("the check finds a sampler with %s", (_, filters) => {
    const counts = countsOf((random) => {
      const left = filters.reduce((candidates, filter) => filter(candidates), candidatesOf(LOGITS));
      return draw(left, random.uniform());
    });
    expect(follows(counts, textbookProbabilities(LOGITS, ALL_THREE))).toBe(false);
  });

  test("the check finds a sampler whose uniform number is a little off", () => {
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

  test("never gives a token of probability 0, at either end", () => {
    // exp(−800) is 0: these are candidates that cannot be drawn.
    const candidates = candidatesOf([-800, 0, -800, 0.3, -800, 0.1, -800]);
    expect(draw(candidates, 0)).toBe(1);
    expect(draw(candidates, ALMOST_ONE)).toBe(5);
  });

  test("has a token where rounding leaves the sum of probabilities below u", () => {
    const candidates = candidatesOf([...new Array<number>(10).fill(0), -800]);
    expect(new Array(10).fill(0.1).reduce((sum: number, p: number) => sum + p, 0)).toBe(ALMOST_ONE);
    expect(draw(candidates, ALMOST_ONE)).toBe(9);
  });
});

describe("chooseToken", () => {
  const random = () => Random.of(3);

  test("greedy takes the highest logit, of equals the lowest id", () => {
    const greedy: SampleSettings = { ...PLAIN, strategy: "greedy" };
    expect(chooseToken(LOGITS, greedy, random())).toBe(2);
    expect(chooseToken([Number.NEGATIVE_INFINITY, -3, -2], greedy, random())).toBe(2);
    expect(chooseToken([4, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], greedy, random())).toBe(1);
  });

  test("a temperature of 0 is greedy, whatever else is set", () => {
    const settings = { ...PLAIN, temperature: 0, topK: 5, topP: 0.9 };
    for (let seed = 0; seed < 50; seed++) expect(chooseToken(LOGITS, settings, Random.of(seed))).toBe(2);
  });

  test("takes one uniform number for a draw and none for a greedy choice", () => {
    const [used, untouched] = [random(), random()];
    chooseToken(LOGITS, { ...PLAIN, strategy: "greedy" }, used);
    expect(used.state()).toEqual(untouched.state());
    chooseToken(LOGITS, { ...PLAIN, topK: 1 }, used);
    untouched.uniform();
    expect(used.state()).toEqual(untouched.state());
  });

  test("gives the same tokens for the same seed", () => {
    const tokens = (seed: number) => {
      const seeded = Random.of(seed);
      return Array.from({ length: 40 }, () => chooseToken(LOGITS, PLAIN, seeded));
    };
    expect(tokens(8)).toEqual(tokens(8));
    expect(tokens(8)).not.toEqual(tokens(9));
  });

  test.each(["greedy", "sample"] as const)("%s refuses NaN and what leaves no token", (strategy) => {
    const settings = { ...PLAIN, strategy };
    expect(() => chooseToken([0, Number.NaN], settings, random())).toThrow(SampleError);
    expect(() => chooseToken([Number.NEGATIVE_INFINITY], settings, random())).toThrow(SampleError);
  });
});

describe("checkSampleSettings", () => {
  test.each<Partial<SampleSettings>>([
    { temperature: -0.1 },
    { temperature: Number.NaN },
    { temperature: Number.POSITIVE_INFINITY },
    { topK: 0 },
    { topK: -3 },
    { topK: 2.5 },
    { topK: Number.NaN },
    { topP: 0 },
    { topP: -0.2 },
    { topP: 1.01 },
    { topP: Number.NaN },
  ])("refuses %o with its value", (wrong) => {
    const [[name, value]] = Object.entries(wrong);
    const settings = { ...PLAIN, ...wrong };
    expect(() => checkSampleSettings(settings)).toThrow(SampleError);
    expect(() => checkSampleSettings(settings)).toThrow(`got ${value}`);
    expect(() => checkSampleSettings(settings)).toThrow(name);
    expect(() => chooseToken(LOGITS, settings, Random.of(1))).toThrow(SampleError);
  });

  test("lets the ends of every range pass", () => {
    checkSampleSettings({ ...PLAIN, temperature: 0, topK: 1, topP: 1 });
    checkSampleSettings({ ...PLAIN, temperature: 1e9, topK: 1e9, topP: Number.MIN_VALUE });
  });
});
