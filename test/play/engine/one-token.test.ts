/** What the page shows of a step of generation is what `nopeek sample --explain` computes, and what the cache holds. */
import { describe, expect, test } from "vitest";
import { LogitsError, NopeekError } from "../../../src/errors.ts";
import { inspect } from "../../../src/nn/inspect.ts";
import { beams } from "../../../src/play/engine/beams.ts";
import { type DrawSettings, type OneTokenRequest, oneToken } from "../../../src/play/engine/one-token.ts";
import { Random } from "../../../src/random.ts";
import { fullLogits } from "../../../src/sample/logits.ts";
import { nopeekHere } from "../../support/in-process.ts";
import { nodeEngine, questions } from "../../support/play.ts";
import { makeFolder } from "../../support/program.ts";

const PROMPT = "One misty Sunday in Ashford, ";
const PLAIN: DrawSettings = { seed: 1337, temperature: 1, topK: null, topP: null };

function requestOf(changes: Partial<OneTokenRequest>): OneTokenRequest {
  return { model: "shipped", mask: "on", prompt: PROMPT, step: 1, settings: PLAIN, ...changes };
}

describe("a step is what the command line explains", () => {
  const cases: readonly [name: string, settings: DrawSettings, flags: readonly (string | number)[]][] = [
    ["no rule", PLAIN, ["--temperature", 1]],
    ["greedy", { ...PLAIN, temperature: 0 }, ["--temperature", 0]],
    [
      "every rule",
      { seed: 7, temperature: 1.7, topK: 11, topP: 0.9, minP: 0.02, repetitionPenalty: 1.3 },
      [
        "--temperature",
        1.7,
        "--top-k",
        11,
        "--top-p",
        0.9,
        "--min-p",
        0.02,
        "--repetition-penalty",
        1.3,
        "--seed",
        7,
      ],
    ],
  ];
  test.each(cases)("%s", async (_, settings, flags) => {
    const { engine } = await nodeEngine();
    const words = ["sample", "--model", "tales", "--prompt", PROMPT, "--tokens", 6, "--explain", "--json"];
    const { stdout, stderr } = await nopeekHere(makeFolder(), ...words, ...flags);
    expect(stderr).toBe("");
    const { text, steps } = JSON.parse(stdout);
    expect(steps).toHaveLength(6);
    for (const [i, explained] of steps.entries()) {
      const shown = await oneToken(engine, requestOf({ step: i + 1, settings }));
      expect(shown.text.join("")).toBe(PROMPT + text.slice(0, i + 1));
      const drawn = shown.candidates.filter(({ isDrawn }) => isDrawn);
      expect(drawn.map(({ token }) => token)).toEqual([explained.token]);
      // The command line lists five tokens, the page ten; the chosen one comes last if it is not among them.
      const five = shown.candidates.slice(0, 5);
      const named = five.includes(drawn[0]) ? five : [...five, drawn[0]];
      expect(named).toMatchObject(explained.candidates);
      const numbers = explained.rules.map(
        ({ rule, value, dropped, changed, left }: Record<string, unknown>) => ({
          ...{ rule, value, dropped, changed, left },
        }),
      );
      expect(shown.rules).toMatchObject(numbers);
    }
  });
});

test("the random number of each step selects the drawn token", async () => {
  const { engine } = await nodeEngine();
  const random = Random.of(5, "sample");
  for (let step = 1; step <= 8; step++) {
    const settings = { ...PLAIN, seed: 5, temperature: 1.5, topK: 9 };
    const { uniform, candidates } = await oneToken(engine, requestOf({ step, settings }));
    expect(uniform).toBe(random.uniform());
    const containing = candidates.filter(
      ({ start, end }) => start <= Number(uniform) && Number(uniform) < end,
    );
    expect(containing.map(({ isDrawn }) => isDrawn)).toEqual([true]);
    // Nine tokens are left, and the page lists ten: their spans fill 0 … 1.
    const width = candidates.reduce((sum, { start, end }) => sum + end - start, 0);
    expect(width).toBeCloseTo(1, 12);
  }
});

test("the cache shows the norms of the keys and values of every position that was read", async () => {
  const { engine } = await nodeEngine();
  const { model, tokenizer } = await engine.viewed("shipped");
  const { text, read, cache } = await oneToken(engine, requestOf({ step: 4 }));
  expect(read).toBe(1);
  expect(cache).toMatchObject({ positions: PROMPT.length + 3, capacity: 512 });
  const ids = tokenizer.encode(text.slice(0, -1).join(""));
  const { heads, dModel } = model.config;
  const expected = await model.context.noGrad(() =>
    Promise.all(
      inspect(model, { ids, batchSize: 1 }).blocks.map(async ({ keys, values }) => ({
        keys: normsOf(await keys.read(), heads, dModel / heads),
        values: normsOf(await values.read(), heads, dModel / heads),
      })),
    ),
  );
  expect(cache.layers).toEqual(expected);
});

/** The norms of vectors (H, T, D). */
function normsOf(numbers: ArrayLike<number>, heads: number, size: number): number[][] {
  const positions = numbers.length / heads / size;
  return Array.from({ length: heads }, (_, h) =>
    Array.from({ length: positions }, (_, t) => {
      let sum = 0;
      for (let d = 0; d < size; d++)
        sum += numbers[(h * positions + t) * size + d] * numbers[(h * positions + t) * size + d];
      return Math.sqrt(sum);
    }),
  );
}

test("a step with a cache computes one row of scores; the mask decides what a whole pass computes", async () => {
  const { engine } = await nodeEngine();
  const scoresOf = async (changes: Partial<OneTokenRequest>) =>
    (await oneToken(engine, requestOf({ prompt: "By the oak", ...changes }))).scores;
  expect(await scoresOf({})).toEqual({ withCache: 55, withoutCache: 55, heads: 8 });
  expect(await scoresOf({ step: 4 })).toEqual({ withCache: 13, withoutCache: 91, heads: 8 });
  expect(await scoresOf({ step: 4, mask: "off" })).toEqual({ withCache: 13, withoutCache: 169, heads: 8 });
  expect(await scoresOf({ step: 4, mask: "shifted" })).toEqual({
    withCache: 13,
    withoutCache: 103,
    heads: 8,
  });
});

describe("one parallel pass and single steps", () => {
  test("with the mask, they agree to the last bit", async () => {
    const { engine } = await nodeEngine();
    const { ways } = await oneToken(engine, requestOf({ step: 3 }));
    const positions = PROMPT.length + 2;
    expect(ways.logits).toBe(positions * 65);
    expect(ways.unequal).toBe(0);
    expect(ways.differences).toEqual(Array.from({ length: positions }, () => 0));
    const scores = (positions * (positions + 1)) / 2;
    expect(ways.parallel).toEqual({ passes: 1, scores, elapsedMs: 60 });
    expect(ways.stepwise).toEqual({ passes: positions, scores, elapsedMs: 60 });
  });

  test("without it, single steps are still causal, and the parallel pass is not", async () => {
    const { engine } = await nodeEngine();
    const { model, tokenizer } = await engine.viewed("shipped");
    const { ways, text } = await oneToken(engine, requestOf({ mask: "off" }));
    const ids = tokenizer.encode(text.slice(0, -1).join(""));
    const causal = await fullLogits(model, ids);
    model.maskMatrix = (queries, keys) => new Float64Array(queries * keys);
    const peeking = await fullLogits(model, ids);
    model.maskMatrix = null;
    const expected = Array.from(ids, (_, t) => {
      const row = (logits: Float64Array) => logits.subarray(t * 65, (t + 1) * 65);
      return Math.max(...row(causal).map((logit, i) => Math.abs(logit - row(peeking)[i])));
    });
    expect(ways.unequal).toBe(ways.logits);
    expect(Math.min(...ways.differences)).toBeGreaterThan(0.1);
    for (const [t, difference] of ways.differences.entries()) expect(difference).toBeCloseTo(expected[t], 3);
  });
});

test("the model keeps the mask that training gave it", async () => {
  const { engine } = await nodeEngine();
  const { model } = await engine.viewed("shipped");
  const own = (queries: number, keys: number) => new Float64Array(queries * keys);
  model.maskMatrix = own;
  await oneToken(engine, requestOf({ mask: "on" }));
  expect(model.maskMatrix).toBe(own);
  model.tokenEmbedding.write(new Float64Array(model.tokenEmbedding.size).fill(Number.NaN));
  await expect(oneToken(engine, requestOf({ mask: "on" }))).rejects.toThrow(LogitsError);
  expect(model.maskMatrix).toBe(own);
});

test("steps end with the context", async () => {
  const { engine } = await nodeEngine();
  const prompt = "By the oak sat Ulf. ".repeat(40).slice(0, 509);
  const last = await oneToken(engine, requestOf({ prompt, step: 100 }));
  expect(last).toMatchObject({ step: 4, steps: 4 });
  expect(last.cache.positions).toBe(512);
  expect(last.text).toHaveLength(513);
});

test("without a prompt, the default is one that the model can continue, a person's own text included", async () => {
  const { engine } = await nodeEngine();
  const shown = async (model: "training" | "shipped") => {
    const token = await oneToken(engine, requestOf({ model, prompt: null }));
    const tree = { beams: 2, tokens: 3, lengthPenalty: 0, end: "" };
    const { prompt } = await beams(engine, { model, mask: "on", prompt: null, ...tree });
    expect(prompt).toBe(token.prompt);
    return token;
  };
  expect(await shown("shipped")).toMatchObject({ prompt: "By the oak sat ", steps: 498 });
  const small = { recipe: "small", changes: { dModel: 16, heads: 2, contextLength: 9 } } as const;
  await questions.open(engine, small);
  expect(await shown("training")).toMatchObject({ prompt: "By th", steps: 5 });
  const file = new Blob(["žluťoučký kůň úpěl\n".repeat(20)]);
  await questions.takeFiles(engine, { ...small, files: [{ path: "kůň.txt", file }] });
  expect(await shown("training")).toMatchObject({ prompt: "žluťo", steps: 5 });
});

const refusals: readonly [name: string, changes: Partial<OneTokenRequest>, message: RegExp][] = [
  ["an empty prompt", { prompt: "" }, /the prompt is empty/],
  ["an unknown character", { prompt: "By the é" }, /"é" \(U\+00E9\) is not among/],
  ["a long prompt", { prompt: "a".repeat(513) }, /at most 512 tokens.*has 513/],
  ["a temperature", { settings: { ...PLAIN, temperature: -1 } }, /`temperature`.*got -1/],
  ["top-k", { settings: { ...PLAIN, topK: 1.5 } }, /`topK`.*got 1.5/],
  ["top-p", { settings: { ...PLAIN, topP: 2 } }, /`topP`.*got 2/],
  ["a seed", { settings: { ...PLAIN, seed: 0.5 } }, /`seed`.*got 0.5/],
  ["no run", { model: "training" }, /no run is open/],
];
test.each(refusals)("refuses %s", async (_, changes, message) => {
  const { engine } = await nodeEngine();
  const asked = oneToken(engine, requestOf({ mask: "off", ...changes }));
  await expect(asked).rejects.toThrow(NopeekError);
  await expect(asked).rejects.toThrow(message);
  expect((await engine.viewed("shipped")).model.maskMatrix).toBe(null);
});
