import { describe, expect, test } from "vitest";
import { SampleError, TokenError } from "../../src/errors.ts";
import { Random } from "../../src/random.ts";
import { generate } from "../../src/sample/generate.ts";
import { generateText, PLAIN_SAMPLING, type TextOptions } from "../../src/sample/generate-text.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { CountingBackend, TINY, tinyModel } from "./tiny-model.ts";

const tokenizer = new CharTokenizer("abcdefghijklm");
const PROMPT = "bad";

/** All pieces, and the reason it ended. */
async function collect(changes: Partial<TextOptions> = {}, prompt = PROMPT) {
  const pieces: string[] = [];
  const text = generateText(tinyModel(), tokenizer, prompt, { tokens: 7, random: Random.of(5), ...changes });
  for (let next = await text.next(); ; next = await text.next()) {
    if (next.done) return { pieces, text: pieces.join(""), reason: next.value };
    pieces.push(next.value);
  }
}

/** The text of the tokens from `generate`. */
async function plain(tokens: number): Promise<string> {
  const options = { tokens, settings: PLAIN_SAMPLING, random: Random.of(5), overflow: "stop" } as const;
  let text = "";
  for await (const { token } of generate(tinyModel(), tokenizer.encode(PROMPT), options)) {
    text += tokenizer.decode([token]);
  }
  return text;
}

describe("generateText", () => {
  test("yields the text of generate's tokens, one piece per token", async () => {
    const { pieces, text, reason } = await collect();
    expect(text).toBe(await plain(7));
    expect(pieces).toHaveLength(7);
    expect(reason).toBe("length");
  });

  test("ends at a stop string, which is not part of the text", async () => {
    const whole = await plain(7);
    const { text, reason } = await collect({ stops: [whole.slice(3, 5)] });
    expect(text).toBe(whole.slice(0, whole.indexOf(whole.slice(3, 5))));
    expect(reason).toBe("stop");
  });

  test("yields a partial stop string at the end", async () => {
    const whole = await plain(7);
    const { text, pieces, reason } = await collect({ stops: [`${whole.slice(5)}m`.repeat(2)] });
    expect(text).toBe(whole);
    expect(pieces.at(-1)).toBe(whole.slice(5));
    expect(reason).toBe("length");
  });

  test("uses the settings, and ends at a full context unless it slides", async () => {
    const greedy = await collect({ settings: { strategy: "greedy" } });
    const cold = await collect({ settings: { temperature: 0 }, random: Random.of(8) });
    expect(cold.text).toBe(greedy.text);
    const full = await collect({ tokens: 20 });
    expect(full.text).toHaveLength(TINY.contextLength - PROMPT.length + 1);
    expect(full.reason).toBe("context");
    expect((await collect({ tokens: 20, overflow: "slide" })).text).toHaveLength(20);
  });

  test("frees the cache at the end, and when the consumer leaves", async () => {
    const backend = new CountingBackend("double");
    const model = tinyModel({}, backend);
    const before = backend.buffers;
    const options = { tokens: 7, random: Random.of(5) };
    for await (const piece of generateText(model, tokenizer, PROMPT, options)) if (piece !== "") break;
    expect(backend.buffers).toBe(before);
    for await (const _ of generateText(model, tokenizer, PROMPT, { ...options, stops: ["a", "b"] }));
    expect(backend.buffers).toBe(before);
  });

  test("reports invalid arguments", async () => {
    await expect(collect({}, "")).rejects.toThrow(SampleError);
    await expect(collect({}, "bat")).rejects.toThrow(TokenError);
    await expect(collect({ stops: [""] })).rejects.toThrow(SampleError);
    await expect(collect({ settings: { temperature: -1 } })).rejects.toThrow(SampleError);
  });
});
