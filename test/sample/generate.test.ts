import { describe, expect, test } from "vitest";
import { SampleError, TokenError } from "../../src/errors.ts";
import type { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { type GenerateOptions, generate } from "../../src/sample/generate.ts";
import { fullLogits } from "../../src/sample/logits.ts";
import type { SampleSettings } from "../../src/sample/settings.ts";
import { type Choice, choose } from "../../src/sample/strategies.ts";
import { CountingBackend, TINY, tinyModel } from "./tiny-model.ts";

const { contextLength, vocabSize } = TINY;
const GREEDY: SampleSettings = { strategy: "greedy", temperature: 1, topK: null, topP: null };
const DRAWN: SampleSettings = { strategy: "sample", temperature: 1.3, topK: 7, topP: 0.9 };
/** The tensors of a captured step: its input and its logits. See nn/inference/captured-decode.ts. */
const STEP_TENSORS = 2;
const PROMPT = [4, 0, 9];

const optionsOf = (changes: Partial<GenerateOptions>): GenerateOptions => ({
  tokens: 5,
  settings: GREEDY,
  random: Random.of(6),
  overflow: "stop",
  ...changes,
});

/** All choices of a generation, and the reason it ended. */
async function collectChoices(model: GPT, prompt: ArrayLike<number>, changes: Partial<GenerateOptions> = {}) {
  const generation = generate(model, prompt, optionsOf(changes));
  const choices: Choice[] = [];
  for (;;) {
    const { done, value } = await generation.next();
    if (done) return { choices, reason: value };
    choices.push(value);
  }
}

/** All tokens of a generation, and the reason it ended. */
async function collect(model: GPT, prompt: ArrayLike<number>, changes: Partial<GenerateOptions> = {}) {
  const { choices, reason } = await collectChoices(model, prompt, changes);
  return { tokens: choices.map(({ token }) => token), reason };
}

/** The logits after `ids`, from a full pass without a cache. */
async function logitsAfter(model: GPT, ids: readonly number[]): Promise<number[]> {
  return [...(await fullLogits(model, ids))].slice(-vocabSize);
}

async function argmaxAfter(model: GPT, ids: readonly number[]): Promise<number> {
  const logits = await logitsAfter(model, ids);
  return logits.indexOf(Math.max(...logits));
}

describe.each(["fused", "textbook"] as const)("with %s attention", (attention) => {
  test("greedy chooses the argmax of the full pass at each step", async () => {
    const model = tinyModel({ attention });
    const { tokens } = await collect(model, PROMPT, { tokens: 8 });
    const sequence = [...PROMPT];
    for (const token of tokens) {
      expect(token).toBe(await argmaxAfter(model, sequence));
      sequence.push(token);
    }
    expect(tokens.length).toBe(8);
    expect(new Set(tokens).size).toBeGreaterThan(2);
  });

  test.each([contextLength, contextLength - 1])(
    "slide continues from the newest half of %i",
    async (length) => {
      const model = tinyModel({ attention, contextLength: length });
      const options = { tokens: 31, settings: DRAWN, random: Random.of(7), overflow: "slide" } as const;
      const { tokens, reason } = await collect(model, PROMPT, options);
      const random = Random.of(7);
      let seen = [...PROMPT];
      for (const token of tokens) {
        if (seen.length > length) seen = seen.slice(-Math.ceil(length / 2));
        expect(token).toBe(choose(await logitsAfter(model, seen), [], DRAWN, random).token);
        seen.push(token);
      }
      expect(tokens.length).toBe(31);
      expect(reason).toBe("length");
    },
  );
});

describe("the end", () => {
  test.each([
    [PROMPT.length, 9],
    [1, 11],
    [10, 2],
    [11, 1],
    [12, 1],
    [40, 1],
  ])("stop: a prompt of %i tokens leaves room for %i", async (length, room) => {
    const prompt = Array.from({ length }, (_, i) => (i * 5) % vocabSize);
    const { tokens, reason } = await collect(tinyModel(), prompt, { tokens: 100 });
    expect(tokens.length).toBe(room);
    expect(reason).toBe("context");
  });

  test("length: the requested number of tokens, even if it fills the context", async () => {
    expect((await collect(tinyModel(), PROMPT, { tokens: 4 })).tokens.length).toBe(4);
    expect((await collect(tinyModel(), PROMPT, { tokens: 4 })).reason).toBe("length");
    expect((await collect(tinyModel(), PROMPT, { tokens: 9 })).reason).toBe("length");
    expect(await collect(tinyModel(), PROMPT, { tokens: 0 })).toEqual({ tokens: [], reason: "length" });
  });

  test("slides with a context of one token", async () => {
    const model = tinyModel({ contextLength: 1 });
    const { tokens } = await collect(model, PROMPT, { tokens: 5, overflow: "slide" });
    const seen = [9, ...tokens];
    for (const [i, token] of tokens.entries()) expect(token).toBe(await argmaxAfter(model, [seen[i]]));
    expect(tokens.length).toBe(5);
  });
});

test("uses the newest tokens of a prompt longer than the context", async () => {
  const prompt = Array.from({ length: 29 }, (_, i) => (i * 7) % vocabSize);
  const model = tinyModel();
  const long = await collect(model, prompt, { tokens: 20, overflow: "slide" });
  expect(long).toEqual(await collect(model, prompt.slice(-11), { tokens: 20, overflow: "slide" }));
  expect(long.tokens[0]).toBe(await argmaxAfter(model, prompt.slice(-11)));
});

test("the same seed produces the same tokens, another seed different ones", async () => {
  const run = async (seed: number) => {
    const options = { tokens: 25, settings: DRAWN, random: Random.of(seed), overflow: "slide" } as const;
    return (await collect(tinyModel(), PROMPT, options)).tokens;
  };
  expect(await run(1)).toEqual(await run(1));
  expect(await run(1)).not.toEqual(await run(2));
});

test("accepts typed arrays as prompts, and does not change the prompt", async () => {
  const prompt = Int32Array.from(PROMPT);
  const model = tinyModel();
  expect(await collect(model, prompt)).toEqual(await collect(model, PROMPT));
  expect([...prompt]).toEqual(PROMPT);
});

test("the repetition rules see every token, including those that no longer fit in the context", async () => {
  const model = tinyModel();
  const prompt = Array.from({ length: 17 }, (_, i) => (i * 5) % 7);
  const settings = { ...DRAWN, repetitionPenalty: 1.9, noRepeatNgram: 2 };
  const options = { tokens: 31, settings, random: Random.of(7), overflow: "slide" } as const;
  const { tokens } = await collect(model, prompt, options);
  const random = Random.of(7);
  const history = [...prompt];
  let seen = prompt.slice(-contextLength);
  for (const token of tokens) {
    if (seen.length > contextLength) seen = seen.slice(-Math.ceil(contextLength / 2));
    expect(token).toBe(choose(await logitsAfter(model, seen), history, settings, random).token);
    history.push(token);
    seen.push(token);
  }
  const pairs = history.slice(1).map((token, i) => `${history[i]},${token}`);
  expect(new Set(pairs.slice(prompt.length - 1)).size).toBe(tokens.length);
});

test("each token has its ln p in the model's distribution", async () => {
  const model = tinyModel();
  const { choices } = await collectChoices(model, PROMPT, { tokens: 8, settings: DRAWN });
  const seen = [...PROMPT];
  for (const { token, logProbability } of choices) {
    const logits = await logitsAfter(model, seen);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    expect(logProbability).toBeCloseTo(logits[token] - Math.log(total), 10);
    seen.push(token);
  }
});

describe("stop", () => {
  test("is called after each token, in order, and ends the generation when it returns true", async () => {
    const undisturbed = (await collect(tinyModel(), PROMPT, { tokens: 8 })).tokens;
    const asked: number[] = [];
    const stop = (token: number) => asked.push(token) === 3;
    const { tokens, reason } = await collect(tinyModel(), PROMPT, { tokens: 8, stop });
    expect(reason).toBe("stop");
    expect(tokens).toEqual(undisturbed.slice(0, 3));
    expect(asked).toEqual(tokens);
  });

  test("is called after the consumer has seen the token, and also after the last one", async () => {
    let seen = 0;
    const stop = () => seen === 5;
    const generation = generate(tinyModel(), PROMPT, optionsOf({ tokens: 5, stop }));
    let next = await generation.next();
    for (; !next.done; next = await generation.next()) seen++;
    expect([seen, next.value]).toEqual([5, "stop"]);
  });

  test("changes nothing if it never returns true", async () => {
    const changes = { tokens: 23, overflow: "slide" } as const;
    const undisturbed = await collect(tinyModel(), PROMPT, changes);
    expect(await collect(tinyModel(), PROMPT, { ...changes, stop: () => false })).toEqual(undisturbed);
    expect(undisturbed.reason).toBe("length");
  });
});

describe("memory", () => {
  test("a consumer that leaves early frees the cache and the context", async () => {
    const backend = new CountingBackend();
    const model = tinyModel({}, backend);
    const before = backend.buffers;
    let given = 0;
    for await (const _ of generate(model, PROMPT, optionsOf({ tokens: 9 }))) {
      const cached = 2 * TINY.layers;
      // The first single-token step makes its input and its logits.
      expect(backend.buffers).toBe(before + cached + (given === 0 ? 0 : STEP_TENSORS));
      if (++given === 2) break;
    }
    expect(given).toBe(2);
    expect(backend.buffers).toBe(before);
    await model.context.scope("grad", () => {});
  });

  test("the end and a slide free their memory", async () => {
    const backend = new CountingBackend();
    const model = tinyModel({}, backend);
    const before = backend.buffers;
    await collect(model, PROMPT, { tokens: 23, overflow: "slide" });
    await collect(model, PROMPT, { tokens: 23, overflow: "stop" });
    expect(backend.buffers).toBe(before);
  });

  test("the cache has room for the prompt and the tokens asked for, not for the whole context", async () => {
    const model = tinyModel({ contextLength: 101 });
    const make = model.makeCache.bind(model);
    const capacities: number[] = [];
    model.makeCache = (batchSize, capacity) => {
      const cache = make(batchSize, capacity);
      capacities.push(cache.capacity);
      return cache;
    };
    const { tokens } = await collect(model, PROMPT, { tokens: 23 });
    expect(tokens.length).toBe(23);
    await collect(model, PROMPT, { tokens: 1000, overflow: "stop" });
    expect(capacities).toEqual([PROMPT.length + 23, 101]);
  });

  test("a failure frees the cache", async () => {
    const backend = new CountingBackend();
    const model = tinyModel({}, backend);
    backend.fill(model.transformer.finalNorm.parameters().weight.buffer, Number.NaN);
    const before = backend.buffers;
    await expect(collect(model, PROMPT)).rejects.toThrow(/token 0 has NaN/);
    expect(backend.buffers).toBe(before);
  });

  test("the consumer may use the context between two tokens", async () => {
    const model = tinyModel();
    const undisturbed = (await collect(model, PROMPT)).tokens;
    const tokens: number[] = [];
    for await (const { token } of generate(model, PROMPT, optionsOf({}))) {
      tokens.push(token);
      await fullLogits(model, [1, 2, 3]);
    }
    expect(tokens).toEqual(undisturbed);
  });
});

describe("rejects before doing any work:", () => {
  const refused = async (prompt: readonly number[], changes: Partial<GenerateOptions>, error: RegExp) => {
    const backend = new CountingBackend();
    const model = tinyModel({}, backend);
    backend.alloc = () => expect.unreachable("memory was taken");
    await expect(collect(model, prompt, changes)).rejects.toThrow(error);
  };

  test("an empty prompt", async () => {
    await refused([], {}, /prompt is empty: give at least one token/);
    await expect(collect(tinyModel(), [])).rejects.toThrow(SampleError);
  });

  test.each([[vocabSize], [-1], [0.5], [Number.NaN]])("the id %f", async (id) => {
    // The invalid id is early in a long prompt, where the model would not see it.
    const prompt = [0, id, ...new Array<number>(20).fill(3)];
    await refused(prompt, {}, /^prompt: .* at 1$/);
    await expect(collect(tinyModel(), prompt)).rejects.toThrow(TokenError);
  });

  test.each([-1, 2.5, Number.NaN, Number.POSITIVE_INFINITY])("%f tokens", async (tokens) => {
    await refused(PROMPT, { tokens }, /whole number ≥ 0/);
  });

  test("invalid settings", async () => {
    await refused(PROMPT, { settings: { ...DRAWN, temperature: -1 } }, /temperature/);
    await refused(PROMPT, { settings: { ...GREEDY, noRepeatNgram: 0 } }, /noRepeatNgram/);
  });
});
