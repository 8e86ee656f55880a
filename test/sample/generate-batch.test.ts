import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/backend/backend.ts";
import { SampleError, TokenError } from "../../src/errors.ts";
import type { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { generate } from "../../src/sample/generate.ts";
import { type BatchOptions, generateBatch } from "../../src/sample/generate-batch.ts";
import type { SampleSettings } from "../../src/sample/settings.ts";
import type { Choice } from "../../src/sample/strategies.ts";
import { backends } from "../support/backends.ts";
import { CountingBackend, TINY, tinyModel } from "./tiny-model.ts";

const { contextLength, vocabSize } = TINY;
const DRAWN: SampleSettings = { strategy: "sample", temperature: 1.3, topK: 7, topP: 0.9 };
/** Shorter than the context, equal to it, one token, and longer: rows slide at different times. */
const PROMPTS = [
  [4, 0, 9],
  Array.from({ length: 11 }, (_, i) => i),
  [7],
  Array.from({ length: 17 }, () => 3),
];

const optionsOf = (changes: Partial<BatchOptions>): BatchOptions => ({
  tokens: 29,
  settings: DRAWN,
  overflow: "slide",
  samples: 1,
  random: (sample) => Random.of(6, sample),
  ...changes,
});

interface Row {
  readonly choices: Choice[];
  ended: string;
}

/** The output of each row of a batch. */
async function collect(
  model: GPT,
  prompts: readonly ArrayLike<number>[],
  options: BatchOptions,
): Promise<Row[]> {
  const rows: Row[] = Array.from({ length: prompts.length * options.samples }, () => ({
    choices: [],
    ended: "",
  }));
  const generation = generateBatch(model, prompts, options);
  for (;;) {
    const { done, value } = await generation.next();
    if (!done) {
      rows[value.row].choices.push(value.choice);
      continue;
    }
    for (const [row, ended] of value.entries()) rows[row].ended = ended;
    expect(value.length).toBe(rows.length);
    return rows;
  }
}

/** The output of `generate` for each row alone. */
async function collectAlone(model: GPT, prompts: readonly ArrayLike<number>[], options: BatchOptions) {
  const rows: Row[] = [];
  for (const prompt of prompts) {
    for (let sample = 0; sample < options.samples; sample++) {
      const row = rows.length;
      const generation = generate(model, prompt, {
        ...options,
        random: options.random(sample),
        stop: (token) => options.stop?.(token, row) ?? false,
      });
      const choices: Choice[] = [];
      let next = await generation.next();
      for (; !next.done; next = await generation.next()) choices.push(next.value);
      rows.push({ choices, ended: next.value });
    }
  }
  return rows;
}

/** Tokens, and all logits that they were chosen from. */
const bitsOf = (rows: readonly Row[]) =>
  rows.map(({ choices, ended }) => ({
    ended,
    tokens: choices.map(({ token }) => token),
    logProbabilities: choices.map(({ logProbability }) => logProbability),
    logits: choices.map(({ offered }) => [...offered.logits]),
  }));

describe.each(backends)("on %s", (_, open) => {
  describe.each([
    { attention: "fused", bigram: false },
    { attention: "textbook", bigram: true },
  ] as const)("with %o", (config) => {
    test.each(["slide", "stop"] as const)(
      "prompts of different lengths have the same bits as alone: %s",
      async (overflow) => {
        const backend: Backend = await open();
        const model = tinyModel(config, backend);
        const options = optionsOf({ overflow, samples: 2 });
        const together = bitsOf(await collect(model, PROMPTS, options));
        expect(together).toEqual(bitsOf(await collectAlone(model, PROMPTS, options)));
        const lengths = together.map(({ tokens }) => tokens.length);
        if (overflow === "slide") expect(lengths).toEqual([29, 29, 29, 29, 29, 29, 29, 29]);
        else expect(lengths).toEqual([9, 9, 1, 1, 11, 11, 1, 1]);
        expect(together[0].tokens).not.toEqual(together[1].tokens);
        await backend.close();
      },
    );
  });
});

test("rows stop at different times, and the others have the same bits as alone", async () => {
  const model = tinyModel();
  // Each row stops at a different token, so at a different time, and some never stop.
  const options = optionsOf({ samples: 3, stop: (token, row) => token === row });
  const together = bitsOf(await collect(model, PROMPTS, options));
  expect(together).toEqual(bitsOf(await collectAlone(model, PROMPTS, options)));
  const ends = new Set(together.map(({ ended }) => ended));
  expect(ends).toEqual(new Set(["stop", "length"]));
  const lengths = new Set(together.map(({ tokens }) => tokens.length));
  expect(lengths.size).toBeGreaterThan(4);
});

test("any set of prompts with any number of samples has the same bits as each alone", async () => {
  const model = tinyModel();
  const anyPrompt = fc.array(fc.nat({ max: vocabSize - 1 }), { minLength: 1, maxLength: 14 });
  const cases = fc.record({
    prompts: fc.array(anyPrompt, { minLength: 1, maxLength: 4 }),
    samples: fc.integer({ min: 1, max: 3 }),
    tokens: fc.integer({ min: 0, max: 19 }),
    overflow: fc.constantFrom("stop", "slide"),
    stopAt: fc.nat({ max: 2 * vocabSize }),
    repetitionPenalty: fc.constantFrom(null, 1.5),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ prompts, stopAt, repetitionPenalty, ...rest }) => {
      const settings = { ...DRAWN, repetitionPenalty };
      const options = optionsOf({ ...rest, settings, stop: (token) => token === stopAt });
      const together = bitsOf(await collect(model, prompts, options));
      expect(together).toEqual(bitsOf(await collectAlone(model, prompts, options)));
    }),
    { numRuns: 30 },
  );
});

test("a sample does not depend on the number of samples", async () => {
  const model = tinyModel();
  const few = bitsOf(await collect(model, [PROMPTS[0]], optionsOf({ samples: 2 })));
  const many = bitsOf(await collect(model, [PROMPTS[0]], optionsOf({ samples: 7 })));
  expect(many.slice(0, 2)).toEqual(few);
  expect(new Set(many.map(({ tokens }) => tokens.join())).size).toBe(7);
});

test("all rows share each pass, and a prompt is read once for all its samples", async () => {
  const model = tinyModel();
  const shapes: number[][] = [];
  const decode = model.decode.bind(model);
  model.decode = (tokens, cache, options) => {
    shapes.push([tokens.batchSize, tokens.ids.length / tokens.batchSize]);
    return decode(tokens, cache, options);
  };
  await collect(model, PROMPTS.slice(0, 1), optionsOf({ samples: 5, tokens: 4 }));
  expect(shapes).toEqual([
    [1, 3],
    [5, 1],
    [5, 1],
    [5, 1],
  ]);
  shapes.length = 0;
  await collect(model, PROMPTS, optionsOf({ samples: 2, tokens: 3, overflow: "stop" }));
  // The prompts that fill the context end after one token.
  expect(shapes).toEqual([
    [4, 11],
    [4, 1],
    [4, 1],
  ]);
});

test("zero tokens or no prompts do not run the model", async () => {
  const model = tinyModel();
  model.makeCache = () => expect.unreachable("no cache is needed");
  expect(await collect(model, [[1], [2]], optionsOf({ tokens: 0 }))).toEqual([
    { choices: [], ended: "length" },
    { choices: [], ended: "length" },
  ]);
  expect(await collect(model, [], optionsOf({}))).toEqual([]);
});

describe("memory", () => {
  test("is freed at the end, when a row fails, and when the consumer leaves", async () => {
    const backend = new CountingBackend();
    const model = tinyModel({}, backend);
    const before = backend.buffers;
    const stop = (token: number) => token < 5;
    await collect(model, PROMPTS, optionsOf({ samples: 2, stop }));
    expect(backend.buffers).toBe(before);
    for await (const { row } of generateBatch(model, PROMPTS, optionsOf({}))) if (row === 2) break;
    expect(backend.buffers).toBe(before);
    backend.fill(model.transformer.finalNorm.parameters().weight.buffer, Number.NaN);
    await expect(collect(model, PROMPTS, optionsOf({}))).rejects.toThrow(/token 0 has NaN/);
    expect(backend.buffers).toBe(before);
  });
});

describe("rejects before doing any work:", () => {
  const refused = async (
    prompts: readonly (readonly number[])[],
    changes: Partial<BatchOptions>,
    error: RegExp,
    kind: typeof SampleError | typeof TokenError = SampleError,
  ) => {
    const model = tinyModel();
    model.makeCache = () => expect.unreachable("a cache was made");
    const outcome = collect(model, prompts, optionsOf(changes));
    await expect(outcome).rejects.toThrow(error);
    await expect(outcome).rejects.toThrow(kind);
  };

  test("an empty prompt, with its number if there are several", async () => {
    await refused([[1, 2, 3], [], [4]], {}, /^prompt 2 of 3 is empty: give at least one token/);
    await refused([[]], {}, /^the prompt is empty/);
  });

  test("an id outside the vocabulary, with the number of its prompt", async () => {
    await refused([[1], [2, vocabSize]], {}, /^prompt 2 of 2: .* got 13 at 1$/, TokenError);
  });

  test.each([0, -1, 1.5, Number.NaN])("%f samples", async (samples) => {
    await refused(PROMPTS, { samples }, /`samples` must be a whole number ≥ 1/);
  });

  test("invalid settings and counts", async () => {
    await refused(PROMPTS, { tokens: -1 }, /whole number ≥ 0/);
    await refused(PROMPTS, { settings: { ...DRAWN, minP: 2 } }, /minP/);
  });

  test("a context of one token slides at every step", async () => {
    const model = tinyModel({ contextLength: 1 });
    const options = optionsOf({ tokens: 5 });
    expect(bitsOf(await collect(model, PROMPTS, options))).toEqual(
      bitsOf(await collectAlone(model, PROMPTS, options)),
    );
    expect(contextLength).toBe(11);
  });
});
