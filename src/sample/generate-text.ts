/** Continuing a text: a model, its tokenizer and a prompt enter; pieces of text leave as soon as they are certain. */
import type { GPT } from "../nn/gpt.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type EndReason, type GenerateOptions, generate } from "./generate.ts";
import type { SampleSettings } from "./settings.ts";
import { TextStream } from "./text-stream.ts";

/** Draws from the model's own probabilities. */
export const PLAIN_SAMPLING: SampleSettings = { strategy: "sample", temperature: 1, topK: null, topP: null };

export interface TextOptions extends Pick<GenerateOptions, "tokens" | "random"> {
  /** What differs from `PLAIN_SAMPLING`. */
  readonly settings?: Partial<SampleSettings>;
  /** See `GenerateOptions`; "stop" unless told otherwise. */
  readonly overflow?: GenerateOptions["overflow"];
  /** The first of these texts ends the continuation, and is no part of it. */
  readonly stops?: readonly string[];
}

/**
 * Joined, the pieces are the continuation, without the prompt.
 *
 * @returns why it ended, as the generator's return value
 * @throws TokenError for a character of the prompt outside the vocabulary; SampleError and LogitsError as `generate`
 */
export async function* generateText(
  model: GPT,
  tokenizer: Tokenizer,
  prompt: string,
  options: TextOptions,
): AsyncGenerator<string, EndReason, void> {
  const { tokens, random, settings = {}, overflow = "stop", stops = [] } = options;
  const text = new TextStream(tokenizer, stops);
  const choices = generate(model, tokenizer.encode(prompt), {
    tokens,
    random,
    settings: { ...PLAIN_SAMPLING, ...settings },
    overflow,
  });
  let end: EndReason = "length";
  try {
    for (let next = await choices.next(); ; next = await choices.next()) {
      if (next.done) {
        end = next.value;
        break;
      }
      const piece = text.push(next.value.token);
      if (piece !== "") yield piece;
      if (text.stop !== null) {
        end = "stop";
        break;
      }
    }
    const rest = text.end();
    if (rest !== "") yield rest;
    return text.stop === null ? end : "stop";
  } finally {
    // Whoever has enough leaves the loop: the cache is freed then too.
    await choices.return(end);
  }
}
