/** Beam search against exhaustive oracles and against greedy; its results, steps, memory and errors. */
import { describe, expect, test } from "vitest";
import { SampleError, TokenError } from "../../src/errors.ts";
import type { GPT } from "../../src/nn/gpt.ts";
import {
  type BeamOptions,
  type BeamSettings,
  type BeamStep,
  beamSearch,
  checkBeamSettings,
} from "../../src/sample/beam-search.ts";
import { backends } from "../support/backends.ts";
import {
  exhaust,
  greedy,
  logProbabilitiesAfter,
  PROMPT,
  plainBeamSearch,
  type Rules,
  sum,
} from "./beam-oracles.ts";
import { CountingBackend, TINY, tinyModel } from "./tiny-model.ts";

const SETTINGS: BeamSettings = { beams: 3, best: 1, lengthPenalty: 0 };

const optionsOf = (settings: Partial<BeamSettings>, changes: Partial<BeamOptions> = {}): BeamOptions => ({
  tokens: 4,
  settings: { ...SETTINGS, ...settings },
  overflow: "stop",
  ...changes,
});

async function search(model: GPT, options: BeamOptions, prompt: ArrayLike<number> = PROMPT) {
  const steps: BeamStep[] = [];
  const stream = beamSearch(model, prompt, options);
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return { results: value, steps };
    steps.push(value);
  }
}

/** Five tokens, so that all continuations of length four can be enumerated. */
const VOCAB_SIZE = 5;
const modelOf = (seed: number, contextLength = 11) =>
  tinyModel({ vocabSize: VOCAB_SIZE, contextLength }, undefined, { seed });

describe("with one beam per continuation, finds the n best of all", () => {
  const all = VOCAB_SIZE ** 4;
  const endsAtZero = (tokens: readonly number[]) => tokens[tokens.length - 1] === 0;
  test.each<[string, Partial<BeamSettings>, Rules]>([
    ["plain", {}, { tokens: 4 }],
    ["no repeated pair of tokens", { noRepeatNgram: 2 }, { tokens: 4, ngram: 2 }],
    ["no repeated token", { noRepeatNgram: 1 }, { tokens: 4, ngram: 1 }],
    ["a repetition penalty", { repetitionPenalty: 1.7 }, { tokens: 4, penalty: 1.7 }],
    [
      "both repetition rules",
      { repetitionPenalty: 1.7, noRepeatNgram: 2 },
      { tokens: 4, penalty: 1.7, ngram: 2 },
    ],
    ["stops", {}, { tokens: 4, ends: endsAtZero }],
    [
      "stops, with a small length penalty",
      { lengthPenalty: 0.7 },
      { tokens: 4, ends: endsAtZero, lengthPenalty: 0.7 },
    ],
    [
      "stops, with a large length penalty",
      { lengthPenalty: 3 },
      { tokens: 4, ends: endsAtZero, lengthPenalty: 3 },
    ],
  ])("%s", async (_, settings, rules) => {
    // With stops, a search for few results may end early.
    const counts = rules.ends === undefined ? [13] : [1, 2, 3, 13];
    for (const seed of [4, 5]) {
      const model = modelOf(seed);
      const every = await exhaust(model, rules);
      for (const best of counts) {
        const expected = every.slice(0, best);
        const options = optionsOf(
          { beams: all, best, ...settings },
          rules.ends === undefined ? {} : { ends: rules.ends },
        );
        const { results } = await search(model, options);
        expect(results.map(({ tokens, ended }) => ({ tokens, ended }))).toEqual(
          expected.map(({ tokens, ended }) => ({ tokens, ended })),
        );
        for (const [i, { score }] of results.entries()) expect(score).toBeCloseTo(expected[i].score, 9);
      }
      if (rules.ends !== undefined) {
        expect(new Set(every.slice(0, 13).map(({ tokens }) => tokens.length)).size).toBeGreaterThan(1);
      }
    }
  });

  test("all of them, if all are requested", async () => {
    const model = modelOf(4);
    const options = optionsOf({ beams: 999, best: 999 }, { tokens: 3 });
    const { results } = await search(model, options);
    expect(results.length).toBe(VOCAB_SIZE ** 3);
    const expected = await exhaust(model, { tokens: 3 });
    expect(results.map(({ tokens }) => tokens)).toEqual(expected.map(({ tokens }) => tokens));
    expect(sum(results.map(({ logProbabilities }) => Math.exp(sum(logProbabilities))))).toBeCloseTo(1, 9);
  });
});

describe("greedy", () => {
  /** Random models that are uncertain at most steps, so plain beam search sometimes loses greedy's path. */
  const unsure = (seed: number) =>
    tinyModel({ vocabSize: 11, contextLength: 13 }, undefined, { seed, deviation: 0.4 });
  const seeds = Array.from({ length: 60 }, (_, i) => i);

  test("never has a higher ln p than the best of two beams, although it beats plain beam search sometimes", async () => {
    let plainLost = 0;
    let rescued = 0;
    for (const seed of seeds) {
      const model = unsure(seed);
      const options = optionsOf({ beams: 2 }, { tokens: 9 });
      const rival = await greedy(model, options);
      const { results, steps } = await search(model, options);
      expect(results[0].tokens.length).toBe(rival.tokens.length);
      expect(sum(results[0].logProbabilities)).toBeGreaterThanOrEqual(rival.logProbability);
      const [plain] = await plainBeamSearch(model, 2, 9);
      if (plain.total < rival.logProbability - 1e-9) plainLost++;
      // If greedy's path was never kept as an extra, the result is that of plain beam search.
      if (steps.some(({ followed }) => followed.length > 2)) rescued++;
      else expect(results[0].tokens).toEqual(plain.tokens);
      for (const { followed } of steps) expect(followed.length).toBeLessThanOrEqual(3);
    }
    expect(plainLost).toBeGreaterThan(0);
    expect(rescued).toBeGreaterThan(plainLost);
    expect(rescued).toBeLessThan(seeds.length);
  });

  test.each<[string, Partial<BeamSettings>, boolean]>([
    ["with stops", {}, true],
    ["with stops and a length penalty", { lengthPenalty: 1.5 }, true],
    ["with repeated n-grams forbidden", { noRepeatNgram: 2 }, false],
  ])("never has a higher score %s", async (_, settings, ending) => {
    const ends = (tokens: readonly number[]) =>
      ending && tokens.length > 3 && tokens[tokens.length - 1] % 3 === 1;
    for (const seed of seeds) {
      const model = unsure(seed);
      const options = optionsOf({ beams: 2, ...settings }, { tokens: 9, ends });
      const rival = await greedy(model, options);
      const { results } = await search(model, options);
      const score = rival.logProbability / ((5 + rival.tokens.length) / 6) ** (settings.lengthPenalty ?? 0);
      expect(results[0].score).toBeGreaterThanOrEqual(score - 1e-12);
    }
  });

  test.each([
    [PROMPT, 5],
    [[3, 1, 4, 1, 0, 2, 4, 3, 3], 1],
  ])("equals one beam after %j, bit for bit, also when the context slides", async (prompt, room) => {
    for (const overflow of ["slide", "stop"] as const) {
      for (const settings of [{}, { repetitionPenalty: 1.6 }, { noRepeatNgram: 3 }]) {
        const model = modelOf(4, 7);
        const options = optionsOf({ beams: 1, ...settings }, { tokens: 23, overflow });
        const { tokens, logProbabilities } = await greedy(model, options, prompt);
        const { results } = await search(model, options, prompt);
        expect(results).toHaveLength(1);
        expect(results[0]).toMatchObject({ tokens, logProbabilities });
        expect(results[0].ended).toBe(overflow === "slide" ? "length" : "context");
        expect(tokens.length).toBe(overflow === "slide" ? 23 : room);
      }
    }
  });
});

describe.each(backends)("on %s", (_, open) => {
  test("beams that branch and slide have the logits of a single sequence", async () => {
    const backend = await open();
    const model = tinyModel({ contextLength: 7 }, backend);
    const { results } = await search(
      model,
      optionsOf({ beams: 5, best: 5 }, { tokens: 9, overflow: "slide" }),
    );
    expect(results).toHaveLength(5);
    for (const { tokens, logProbabilities } of results) {
      let seen = [...PROMPT];
      for (const [i, token] of tokens.entries()) {
        if (seen.length > 7) seen = seen.slice(-4);
        expect(logProbabilities[i]).toBeCloseTo((await logProbabilitiesAfter(model, seen))[token], 12);
        seen.push(token);
      }
    }
    await backend.close();
  });
});

describe("results", () => {
  test("are sorted and distinct, and limited by `best` and by the number of continuations", async () => {
    const model = modelOf(4);
    const { results } = await search(model, optionsOf({ beams: 7, best: 6 }));
    expect(results).toHaveLength(6);
    const scores = results.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(new Set(results.map(({ tokens }) => tokens.join())).size).toBe(6);
    const few = await search(model, optionsOf({ beams: 40, best: 40 }, { tokens: 1 }));
    expect(few.results).toHaveLength(VOCAB_SIZE);
  });

  test("for zero tokens are one empty continuation", async () => {
    const { results, steps } = await search(modelOf(4), optionsOf({}, { tokens: 0 }));
    expect(results).toEqual([{ tokens: [], logProbabilities: [], score: 0, ended: "length" }]);
    expect(steps).toEqual([]);
  });

  test("are the same if the search ends early because nothing better is possible", async () => {
    const model = modelOf(4);
    const likeliest = (await greedy(model, optionsOf({}))).tokens[0];
    const ends = (tokens: readonly number[]) => tokens[tokens.length - 1] === likeliest;
    const { results, steps } = await search(model, optionsOf({ beams: VOCAB_SIZE ** 4 }, { ends }));
    expect(results[0].tokens).toEqual([likeliest]);
    expect(results[0].tokens).toEqual((await exhaust(model, { tokens: 4, ends }))[0].tokens);
    expect(steps.length).toBeLessThan(4);
    // One finished continuation is not enough if three results are requested.
    const three = await search(model, optionsOf({ beams: VOCAB_SIZE ** 4, best: 3 }, { ends }));
    const expected = (await exhaust(model, { tokens: 4, ends })).slice(0, 3);
    expect(three.results.map(({ tokens }) => tokens)).toEqual(expected.map(({ tokens }) => tokens));
  });

  test("use the end of a prompt longer than the context, and the rules see the whole prompt", async () => {
    const model = modelOf(4);
    const prompt = Array.from({ length: 19 }, (_, i) => (i * 2) % VOCAB_SIZE);
    const options = optionsOf({}, { overflow: "slide" });
    const long = await search(model, options, prompt);
    expect(long.results).toEqual((await search(model, options, prompt.slice(-11))).results);
    const unrepeated = optionsOf({ noRepeatNgram: 1 }, { tokens: 1 });
    // This prompt contains all five tokens, so the rule is skipped; the other contains all but 4.
    expect((await search(model, unrepeated, prompt)).steps[0].forbidden).toBe(0);
    const other = [0, 1, 2, 3, ...new Array<number>(17).fill(3)];
    const { results, steps } = await search(model, unrepeated, other);
    expect(results[0].tokens).toEqual([4]);
    expect(steps[0].forbidden).toBe(4);
  });
});

test("a step reports followed, ended and dropped paths", async () => {
  const model = modelOf(4);
  const ends = (tokens: readonly number[]) => tokens[tokens.length - 1] === 0;
  const { steps, results } = await search(model, optionsOf({ beams: 3, best: 3 }, { ends }));
  const seen = new Set<string>([""]);
  for (const { followed, ended, dropped, compared } of steps) {
    for (const path of [...followed, ...ended]) {
      expect([...seen]).toContain(path.tokens.slice(0, -1).join());
      expect(sum(path.logProbabilities)).toBeCloseTo(path.total, 12);
      expect(ends(path.tokens)).toBe(ended.includes(path));
    }
    for (const path of dropped) {
      for (const better of followed.slice(0, 3)) expect(path.total).toBeLessThanOrEqual(better.total);
    }
    expect(compared % VOCAB_SIZE).toBe(0);
    for (const { tokens } of followed) seen.add(tokens.join());
  }
  expect(results.length).toBe(3);
});

test("frees its memory at the end, when left early and after a failure", async () => {
  const backend = new CountingBackend();
  const model = tinyModel({}, backend);
  const before = backend.buffers;
  await search(model, optionsOf({}, { tokens: 23, overflow: "slide" }));
  await search(model, optionsOf({}, { tokens: 23, overflow: "stop" }));
  for await (const { followed } of beamSearch(model, PROMPT, optionsOf({}))) if (followed.length > 2) break;
  expect(backend.buffers).toBe(before);
  backend.fill(model.transformer.finalNorm.parameters().weight.buffer, Number.NaN);
  await expect(search(model, optionsOf({}))).rejects.toThrow(/token 0 has NaN/);
  expect(backend.buffers).toBe(before);
});

describe("rejects", () => {
  test.each<Partial<BeamSettings>>([
    { beams: 0 },
    { beams: -2 },
    { beams: 1.5 },
    { beams: Number.NaN },
    { best: 0 },
    { best: 4 },
    { best: 1.5 },
    { lengthPenalty: -0.1 },
    { lengthPenalty: Number.NaN },
    { lengthPenalty: Number.POSITIVE_INFINITY },
    { repetitionPenalty: 0 },
    { noRepeatNgram: 0 },
  ])("%o", async (wrong) => {
    const [[name, value]] = Object.entries(wrong);
    const check = () => checkBeamSettings({ ...SETTINGS, ...wrong });
    expect(check).toThrow(SampleError);
    expect(check).toThrow(`\`${name}\` must be`);
    expect(check).toThrow(`got ${value}`);
    await expect(search(modelOf(4), optionsOf(wrong))).rejects.toThrow(name);
  });

  test("empty prompts, ids outside the vocabulary, and invalid counts", async () => {
    await expect(search(modelOf(4), optionsOf({}), [])).rejects.toThrow(/the prompt is empty/);
    await expect(search(modelOf(4), optionsOf({}), [VOCAB_SIZE])).rejects.toThrow(TokenError);
    await expect(search(modelOf(4), optionsOf({}, { tokens: -1 }))).rejects.toThrow(/whole number ≥ 0/);
    expect(TINY.vocabSize).toBeGreaterThan(VOCAB_SIZE);
  });
});
